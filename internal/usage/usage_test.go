package usage_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/usage"
)

// TestOwn: this process is seen the same from within and from without.
func TestOwn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	for usage.CPU() < 50*time.Millisecond { // used by asking
	}
	own, other := usage.CPU(), usage.CPUOf(os.Getpid())
	if d := other - own; d < -30*time.Millisecond || d > time.Second {
		t.Errorf("CPU %v from within, %v from without", own, other)
	}
	const least = 1 << 20
	if own, other := usage.Resident(), usage.ResidentOf(os.Getpid()); own < least || other < least {
		t.Errorf("memory %d from within, %d from without", own, other)
	}
	const nobody = 1 << 30
	if usage.CPUOf(nobody) != 0 || usage.ResidentOf(nobody) != 0 {
		t.Error("a process that is not there has used something")
	}
}
