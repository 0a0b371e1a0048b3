package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"s3resizer/s3io"
)

// The buckets' names in a folder, which has none.
const (
	sourceFiles = "files"
	outputFiles = "out"
)

// folder is local files in the place of S3: the handler reads the files by their base name and writes the renditions
// to one directory.
type folder struct {
	paths   map[string]string      // by base name
	sources map[string]fs.FileInfo // by path, of those that are there
	out     string
}

func newFolder(out string, files []string) (*folder, error) {
	f := &folder{paths: map[string]string{}, sources: map[string]fs.FileInfo{}, out: out}
	for _, path := range files {
		name := filepath.Base(path)
		if other, taken := f.paths[name]; taken {
			return nil, fmt.Errorf("%s and %s: the renditions of one would overwrite the other's", other, path)
		}
		f.paths[name] = path
		if info, err := os.Stat(path); err == nil {
			f.sources[path] = info
		}
	}
	return f, nil
}

// Open opens a source file.
func (f *folder) Open(_ context.Context, _, name string) (*s3io.Object, error) {
	path := f.paths[name]
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // to open a pipe would wait for who writes to it
		return nil, fmt.Errorf("%s is %s, not a file", path, kind(info.Mode()))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &s3io.Object{ReadCloser: file, Info: describe(info)}, nil
}

// kind says what is not a regular file.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

// Head describes a source file. What is among the renditions has no label, and is nobody's.
func (f *folder) Head(_ context.Context, bucket, name string) (s3io.Info, error) {
	if bucket == outputFiles {
		return s3io.Info{}, &s3io.Error{Class: s3io.NotFound, Op: "head", Bucket: bucket, Key: name, Err: fs.ErrNotExist}
	}
	info, err := os.Stat(f.paths[name])
	if err != nil {
		return s3io.Info{}, err
	}
	return describe(info), nil
}

// describe gives a file what stands for an ETag: it changes when the file does.
func describe(info fs.FileInfo) s3io.Info {
	return s3io.Info{Key: info.Name(), Size: info.Size(), ETag: fmt.Sprintf("%x-%x", info.ModTime().UnixNano(), info.Size())}
}

// Put writes a rendition, whole or not at all, and never over a source.
func (f *folder) Put(_ context.Context, u s3io.Upload) (string, error) {
	path := filepath.Join(f.out, filepath.FromSlash(u.Key))
	if info, err := os.Stat(path); err == nil {
		for source, of := range f.sources { // by whatever name either is called
			if os.SameFile(info, of) {
				return "", fmt.Errorf("%s would overwrite %s, which is to be resized too: name another folder with --out", path, source)
			}
		}
	}
	return "", writeFile(path, u.Data)
}

// Tags are what files don't have.
func (f *folder) Tags(context.Context, string, string) (string, error) { return "", nil }

// Delete removes a rendition.
func (f *folder) Delete(_ context.Context, _, name, _ string) error {
	err := os.Remove(filepath.Join(f.out, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writeFile writes a file whole or not at all, and makes the directories that it needs.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".s3resizer-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
