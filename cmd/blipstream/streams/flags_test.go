package streams

import (
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"1": 1, "512MiB": 512 << 20, "1.5GiB": 3 << 29, "4 GiB": 4 << 30, "2GB": 2e9, "10B": 10, "1kB": 1000,
	} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{"", "0", "-1", "NaN", "Inf", "1e30GiB", "GiB", "1MiBB", "0x10", "9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err == nil && got < 0 {
			t.Errorf("%q is %d", text, got)
		}
	})
}

func TestLayoutFlagsChangeOnlyWhatTheyName(t *testing.T) {
	var f Flags
	if f.Layout() != bus.DefaultLayout() {
		t.Error("no flags change the layout")
	}
	f.Events.MaxAge, f.Raw.MaxBytes, f.Replicas = new(time.Hour), new(Size(1<<20)), new(3)
	want := bus.DefaultLayout()
	want.Events.MaxAge, want.Raw.MaxBytes, want.Replicas = time.Hour, 1<<20, 3
	if f.Layout() != want {
		t.Errorf("layout %+v, want %+v", f.Layout(), want)
	}
}
