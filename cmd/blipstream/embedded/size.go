package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/blipstream/blipstream/internal/bus"
)

// space is what a directory's disk offers, in bytes.
type space struct {
	// total is the size of the file system.
	total int64
	// usable is what is free, and what the directory holds already.
	usable int64
}

// share of the usable space that streams may fill: a disk is rarely ours alone.
const share = 0.5

// least is the space in bytes below which streams are too short to be of use.
const least = 64 << 20

// measure looks at dir and its disk.
func measure(dir string) (space, error) {
	free, total, err := diskSpace(dir)
	if err != nil {
		return space{}, fmt.Errorf("embedded: measure disk of %s: %w", dir, err)
	}
	used, err := sizeOf(dir)
	if err != nil {
		return space{}, fmt.Errorf("embedded: measure data directory: %w", err)
	}
	return space{total: total, usable: free + used}, nil
}

// ceiling is what the server may set aside, in bytes: the whole disk, as it does
// not open a stream again that was made with more than its ceiling; and what
// the buckets reserve, which on a small disk is more than they ever hold.
func (s space) ceiling() int64 { return s.total + bus.Layout{}.Reserved() }

// sizeOf sums the files below dir, in bytes.
func sizeOf(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		sum += info.Size()
		return nil
	})
	return sum, err
}

// fit lowers the limits of l, all by the same factor, until their sum fits the
// share of the disk.
func fit(l bus.Layout, s space) (bus.Layout, error) {
	budget := int64(float64(s.usable) * share)
	if budget < least {
		return l, fmt.Errorf("embedded: fit streams to disk: %d MiB can be used, at least %d are needed: make room or give another --data",
			s.usable>>20, int64(least/share)>>20)
	}
	limits := []*bus.Limits{&l.Raw, &l.Events, &l.Replay, &l.Dead}
	var sum int64
	for _, x := range limits {
		sum += x.MaxBytes
	}
	if sum <= budget {
		return l, nil
	}
	for _, x := range limits {
		x.MaxBytes = int64(float64(x.MaxBytes) * float64(budget) / float64(sum))
	}
	return l, nil
}
