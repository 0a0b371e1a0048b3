package devserver

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/rclone/gofakes3"
)

// blob is a file of received bytes in tmp.
type blob struct {
	path string
	size int64
	md5  string
}

func (b blob) etag() string { return `"` + b.md5 + `"` }

// receive writes all that it reads to a new blob. A size below zero is not
// known.
func (s *store) receive(input io.Reader, size int64) (blob, error) {
	return s.write(func(w io.Writer) error {
		n, err := io.Copy(w, input)
		if err == nil && size >= 0 && n != size {
			err = gofakes3.ErrIncompleteBody
		}
		return err
	})
}

// write makes a blob of what fill writes, or none where fill fails. It returns
// fill's errors as they are: gofakes3 tells its own by their type.
func (s *store) write(fill func(io.Writer) error) (_ blob, err error) {
	f, err := os.CreateTemp(s.tmpDir(), "")
	if err != nil {
		return blob{}, err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			s.discard(f.Name())
		}
	}()
	sum := md5.New()
	if err := fill(io.MultiWriter(f, sum)); err != nil {
		return blob{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return blob{}, err
	}
	return blob{path: f.Name(), size: info.Size(), md5: hex.EncodeToString(sum.Sum(nil))}, nil
}

// commit makes received the object at key, if the conditions of the request
// with ctx hold, and discards it otherwise.
func (s *store) commit(ctx context.Context, bucketName, key string, meta map[string]string, received blob) (err error) {
	defer func() {
		if err != nil {
			s.discard(received.path)
		}
	}()
	if !representable(key, meta) {
		return gofakes3.ErrorMessage(gofakes3.ErrInvalidArgument, "Keys and metadata are UTF-8.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	b := s.buckets[bucketName]
	if b == nil {
		return gofakes3.BucketNotFound(bucketName)
	}
	old, exists := b.objects[key]
	oldMD5 := ""
	if exists {
		oldMD5 = old.MD5
	}
	if err := gofakes3.CheckWriteConditions(ctx, exists, oldMD5); err != nil {
		return err
	}

	o := newObject(key, meta, received)
	bytesPath := filepath.Join(s.bucketDir(bucketName), o.File)
	if err := os.Rename(received.path, bytesPath); err != nil {
		return err
	}
	if err := s.writeJSON(filepath.Join(s.bucketDir(bucketName), objectFile(key)), o); err != nil {
		s.discard(bytesPath)
		return fmt.Errorf("store %s/%s: %w", bucketName, key, err)
	}
	b.objects[key] = o
	if exists {
		s.discard(filepath.Join(s.bucketDir(bucketName), old.File))
	}
	note(ctx, change{bucket: bucketName, key: key, size: o.Size, etag: o.MD5})
	return nil
}

// representable reports whether JSON gives back what it is given.
func representable(key string, meta map[string]string) bool {
	if !utf8.ValidString(key) {
		return false
	}
	for k, v := range meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return false
		}
	}
	return true
}

// discard removes a file that nothing names any more. Where that fails, the
// next opening does it.
func (s *store) discard(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("left a file behind", "path", path, "error", err)
	}
}
