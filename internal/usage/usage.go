package usage

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of times in /proc, a hundredth of a second on every Linux
// there is (proc_pid_stat(5)).
const tick = 10 * time.Millisecond

// CPUOf is the CPU time that another process has used, in user and kernel mode,
// to a hundredth of a second.
func CPUOf(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// A program's name may hold anything, brackets and spaces too.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	const user, system = 11, 12
	return time.Duration(number(fields, user)+number(fields, system)) * tick
}

// Resident is the memory that this process holds, in bytes.
func Resident() int64 { return resident("self") }

// ResidentOf is the memory that another process holds, in bytes.
func ResidentOf(pid int) int64 { return resident(strconv.Itoa(pid)) }

func resident(process string) int64 {
	data, err := os.ReadFile("/proc/" + process + "/statm")
	if err != nil {
		return 0
	}
	const pages = 1
	return number(bytes.Fields(data), pages) * int64(os.Getpagesize())
}

// number is a field's; 0 if there is none.
func number(fields [][]byte, i int) int64 {
	if i >= len(fields) {
		return 0
	}
	n, err := strconv.ParseInt(string(fields[i]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
