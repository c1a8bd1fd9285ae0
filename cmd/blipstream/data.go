package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// dataDir is the directory given, or where the XDG base directory
// specification keeps a program's data, as an absolute path.
func dataDir(given string) (string, error) {
	if given != "" {
		dir, err := filepath.Abs(given)
		if err != nil {
			return "", fmt.Errorf("data: find directory: %w", err)
		}
		return dir, nil
	}
	// The specification says to ignore a relative path.
	if base := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "blipstream"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("data: find home directory: %w: give a directory with --data", err)
	}
	return filepath.Join(home, ".local", "share", "blipstream"), nil
}
