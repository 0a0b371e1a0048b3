package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// standard is the name of standard input, and of standard output.
const standard = "-"

// source is a file to be resized. Its key is what it would be called in a bucket, and so what its renditions are called.
type source struct{ path, key string }

// findSources returns the files that are named, and those in the folders that are, once each, in that order.
//
// A file has its name for a key, and one of a folder its path there. Where two would have the same, the key of each is its path
// below the folder that all of them are in.
func findSources(args []string, out string) ([]source, error) {
	var found []source
	known := map[string]bool{} // absolute paths
	add := func(path, key string) error {
		absolute, err := filepath.Abs(path)
		if err == nil && !known[absolute] {
			known[absolute] = true
			found = append(found, source{path, key})
		}
		return err
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil || !info.IsDir() { // that it is not there is said when its turn comes
			if err := add(arg, filepath.Base(arg)); err != nil {
				return nil, err
			}
			continue
		}
		outInfo, err := os.Stat(out)
		if err == nil && os.SameFile(info, outInfo) {
			return nil, fmt.Errorf("%s: its renditions would lie among its pictures, and be resized with them the next time: name another folder with --out", arg)
		}
		keys, err := filesBelow(arg, outInfo)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if err := add(filepath.Join(arg, filepath.FromSlash(key)), key); err != nil {
				return nil, err
			}
		}
	}
	return found, keepApart(found)
}

// filesBelow returns the paths of the files in a folder and below it, with slashes, but for what is hidden and what is in the
// folder without.
func filesBelow(folder string, without fs.FileInfo) ([]string, error) {
	var found []string
	root := os.DirFS(folder) // which follows a link to a folder, and whose paths are keys
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			if info, err := entry.Info(); err == nil && without != nil && os.SameFile(info, without) {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := fs.Stat(root, name); err == nil && info.Mode().IsRegular() { // a link to a file, too
			found = append(found, name)
		}
		return nil
	})
	if err == nil && len(found) == 0 {
		err = errors.New("there are no files in it")
	}
	if err != nil {
		if failed := (*fs.PathError)(nil); errors.As(err, &failed) && failed.Path == "." {
			err = failed.Err // of the folder itself
		}
		return nil, fmt.Errorf("pictures of the folder %s: %w", folder, err)
	}
	return found, nil
}

func keepApart(sources []source) error {
	keys := map[string]bool{}
	for _, s := range sources {
		keys[s.key] = true
	}
	if len(keys) == len(sources) {
		return nil
	}
	var paths [][]string
	for _, s := range sources {
		absolute, err := filepath.Abs(s.path)
		if err != nil {
			return err
		}
		paths = append(paths, strings.Split(filepath.ToSlash(absolute), "/"))
	}
	shared := 0
	for ; ; shared++ {
		if slices.ContainsFunc(paths, func(p []string) bool { return shared+1 >= len(p) || p[shared] != paths[0][shared] }) {
			break
		}
	}
	for i := range sources {
		sources[i].key = path.Join(paths[i][shared:]...)
	}
	return nil
}
