package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"s3resizer/s3io"
)

// The buckets' names in a folder, which has none.
const (
	sourceFiles = "files"
	outputFiles = "out"
)

// fileStore is one local file in the place of S3. What the handler writes waits in it until all is made.
type fileStore struct {
	path  string
	input []byte // what standard input had, in the file's place

	mu   sync.Mutex
	made []s3io.Upload
}

// Open opens the file.
func (f *fileStore) Open(context.Context, string, string) (*s3io.Object, error) {
	info, err := f.stat()
	if err != nil {
		return nil, err
	}
	if f.input != nil {
		return &s3io.Object{ReadCloser: io.NopCloser(bytes.NewReader(f.input)), Info: info}, nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	return &s3io.Object{ReadCloser: file, Info: info}, nil
}

func (f *fileStore) stat() (s3io.Info, error) {
	if f.input != nil {
		return s3io.Info{Key: f.path, Size: int64(len(f.input)), ETag: "input"}, nil
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return s3io.Info{}, err
	}
	if !info.Mode().IsRegular() { // to open a pipe would wait for who writes to it
		return s3io.Info{}, fmt.Errorf("%s is %s, not a file: - reads from one, as standard input", f.path, kind(info.Mode()))
	}
	return s3io.Info{Key: info.Name(), Size: info.Size(), ETag: stamp(info)}, nil
}

// kind says what is not a regular file.
func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

// stamp stands for an ETag: it changes when the file does.
func stamp(info fs.FileInfo) string {
	return fmt.Sprintf("%x-%x", info.ModTime().UnixNano(), info.Size())
}

// Head describes the file. What is among the renditions has no label, and is nobody's.
func (f *fileStore) Head(_ context.Context, bucket, name string) (s3io.Info, error) {
	if bucket == outputFiles {
		return s3io.Info{}, &s3io.Error{Class: s3io.NotFound, Op: "head", Bucket: bucket, Key: name, Err: fs.ErrNotExist}
	}
	return f.stat()
}

// Put takes a rendition.
func (f *fileStore) Put(_ context.Context, u s3io.Upload) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made = append(f.made, u)
	return "", nil
}

// Tags are what files don't have.
func (f *fileStore) Tags(context.Context, string, string) (string, error) { return "", nil }

// Delete removes nothing: there are no renditions of before, and files are their owner's.
func (f *fileStore) Delete(context.Context, string, string, string) error { return nil }

// outputs is where the renditions of all files go. None takes another file's place unasked, and none a source's.
type outputs struct {
	folder     string
	force, dry bool
	sources    map[string][]fileInfo // by stamp

	mu    sync.Mutex
	taken map[string]string // by path, the source of what is written there
}

type fileInfo struct {
	os.FileInfo
	path string
}

func newOutputs(folder string, force, dry bool, sources []source) *outputs {
	o := &outputs{folder: folder, force: force, dry: dry, sources: map[string][]fileInfo{}, taken: map[string]string{}}
	for _, s := range sources {
		if info, err := os.Stat(s.path); err == nil {
			o.sources[stamp(info)] = append(o.sources[stamp(info)], fileInfo{info, s.path})
		}
	}
	return o
}

func (o *outputs) path(key string) string { return filepath.Join(o.folder, filepath.FromSlash(key)) }

// complete reports whether all renditions of a source are there already, and none is older than it.
func (o *outputs) complete(s source, keys []string) bool {
	of, err := os.Stat(s.path)
	return err == nil && !slices.ContainsFunc(keys, func(key string) bool {
		info, err := os.Lstat(o.path(key))
		return err != nil || !info.Mode().IsRegular() || info.ModTime().Before(of.ModTime()) || o.isSource(o.path(key)) != nil
	})
}

// reserve takes the places of all renditions of a source, or says what is in the way.
func (o *outputs) reserve(s source, made []s3io.Upload) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, u := range made {
		path := o.path(u.Key)
		if other := o.taken[path]; other != "" {
			return fmt.Errorf("%s is what is made of %s: rename one of the two", path, other)
		}
		info, err := os.Lstat(path)
		switch {
		case err != nil: // of a folder that can't be looked into, too, in which nothing can be written either
		case info.IsDir():
			return fmt.Errorf("%s is a folder, where a rendition would be", path)
		case o.isSource(path) != nil:
			return o.isSource(path)
		case !o.force:
			return fmt.Errorf("%s is there already: --force overwrites it", path)
		}
	}
	for _, u := range made {
		o.taken[o.path(u.Key)] = s.path
	}
	return nil
}

// isSource returns an error if a file is one of the sources, by whatever name either is called.
func (o *outputs) isSource(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil // a link to nothing
	}
	for _, of := range o.sources[stamp(info)] {
		if os.SameFile(info, of.FileInfo) {
			return fmt.Errorf("%s would overwrite %s, which is to be resized too: name another folder with --out", path, of.path)
		}
	}
	return nil
}

// write puts the renditions of a source in their places, all or none.
func (o *outputs) write(s source, made []s3io.Upload) (err error) {
	slices.SortFunc(made, func(a, b s3io.Upload) int { return strings.Compare(a.Key, b.Key) }) // encoders end in any order
	if err := o.reserve(s, made); err != nil || o.dry {
		return err
	}
	temporary := map[string]string{} // by path
	defer func() {
		for _, name := range temporary {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	for _, u := range made {
		name, err := writeTemporary(o.path(u.Key), u.Data)
		if err != nil {
			return err
		}
		temporary[o.path(u.Key)] = name
	}
	for path, name := range temporary {
		if err := os.Rename(name, path); err != nil {
			return err
		}
		delete(temporary, path)
	}
	return nil
}

// writeFile writes a file whole or not at all, and makes the folders that it needs.
func writeFile(path string, data []byte) error {
	name, err := writeTemporary(path, data)
	if err != nil {
		return err
	}
	if err := os.Rename(name, path); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// writeTemporary writes what is to be renamed to path, and returns its name.
func writeTemporary(path string, data []byte) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".s3resizer-*")
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}
