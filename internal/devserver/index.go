package devserver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rclone/gofakes3"
)

const (
	lockFile   = "devserver.lock"
	bucketFile = "bucket.json"
)

func (s *store) tmpDir() string               { return filepath.Join(s.dir, "tmp") }
func (s *store) bucketsDir() string           { return filepath.Join(s.dir, "buckets") }
func (s *store) bucketDir(name string) string { return filepath.Join(s.bucketsDir(), name) }

// hash stands for a key in file names: a key may be longer than a file name,
// hold slashes, or differ from another by case alone.
func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func objectFile(key string) string { return hash(key) + ".json" }

// bucket is what the index holds of a bucket, and bucket.json of it.
type bucket struct {
	Created time.Time `json:"created"`
	objects map[string]*object
}

// object is what the index holds of an object, and its JSON of it. It never
// changes: a new upload is a new object.
type object struct {
	Key      string            `json:"key"`
	File     string            `json:"file"`
	Size     int64             `json:"size"`
	MD5      string            `json:"md5"`
	Metadata map[string]string `json:"metadata"` // as gofakes3 has it: headers, Last-Modified among them
}

func newObject(key string, meta map[string]string, received blob) *object {
	return &object{
		Key:      key,
		File:     hash(key) + "-" + rand.Text(),
		Size:     received.size,
		MD5:      received.md5,
		Metadata: meta,
	}
}

func (o *object) answer(part *gofakes3.ObjectRange, contents io.ReadCloser) *gofakes3.Object {
	sum, _ := hex.DecodeString(o.MD5) // checked when it was loaded
	return &gofakes3.Object{
		Name:     o.Key,
		Metadata: o.Metadata,
		Size:     o.Size,
		Hash:     sum,
		Range:    part,
		Contents: contents,
	}
}

func (o *object) content() *gofakes3.Content {
	modified, _ := http.ParseTime(o.Metadata["Last-Modified"]) // gofakes3 wrote it
	return &gofakes3.Content{
		Key:          o.Key,
		LastModified: gofakes3.NewContentTime(modified),
		ETag:         `"` + o.MD5 + `"`,
		Size:         o.Size,
	}
}

// openStore opens the store in dir, or starts one in an empty or missing dir.
func openStore(dir string, log *slog.Logger) (_ *store, err error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	s := &store{
		dir:     dir,
		lock:    lock,
		log:     log,
		buckets: map[string]*bucket{},
		uploads: map[gofakes3.UploadID]*multipart{},
	}
	// What tmp holds was being received when the last process ended.
	err = errors.Join(os.RemoveAll(s.tmpDir()), os.MkdirAll(s.tmpDir(), 0o755), os.MkdirAll(s.bucketsDir(), 0o755))
	if err != nil {
		return nil, fmt.Errorf("open object folder: %w", err)
	}
	names, err := os.ReadDir(s.bucketsDir())
	if err != nil {
		return nil, fmt.Errorf("open object folder: %w", err)
	}
	for _, name := range names {
		if err := s.loadBucket(name.Name()); err != nil {
			return nil, fmt.Errorf("open object folder: bucket %s: %w", name.Name(), err)
		}
	}
	return s, nil
}

// checkDir refuses a folder with somebody else's files in it, because opening
// a store removes what it takes for its own leavings.
func checkDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("open object folder: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
		return fmt.Errorf("open object folder: %s holds other files; name an empty folder", dir)
	}
	return nil
}

// lockDir keeps a second process out: it would remove what the first one is
// receiving.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open object folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open object folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("open object folder: %s is in use by another endpoint: %w", dir, err), f.Close())
	}
	return f, nil
}

// loadBucket reads a bucket into the index and removes bytes that no object
// names.
func (s *store) loadBucket(name string) error {
	b := &bucket{objects: map[string]*object{}}
	err := readJSON(filepath.Join(s.bucketDir(name), bucketFile), b)
	if errors.Is(err, os.ErrNotExist) {
		return nil // killed while creating or deleting it
	}
	if err != nil {
		return err
	}
	files, err := os.ReadDir(s.bucketDir(name))
	if err != nil {
		return err
	}
	named, unreadable := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		stem, isJSON := strings.CutSuffix(file.Name(), ".json")
		if !isJSON || file.Name() == bucketFile {
			continue
		}
		o, err := s.loadObject(name, file.Name())
		if err != nil {
			s.log.Warn("left out an object that cannot be read", "bucket", name, "file", file.Name(), "error", err)
			unreadable[stem] = true
			continue
		}
		b.objects[o.Key] = o
		named[o.File] = true
	}
	for _, file := range files {
		stem, _, isBytes := strings.Cut(file.Name(), "-")
		if isBytes && !named[file.Name()] && !unreadable[stem] {
			s.discard(filepath.Join(s.bucketDir(name), file.Name()))
		}
	}
	s.buckets[name] = b
	return nil
}

func (s *store) loadObject(bucketName, file string) (*object, error) {
	o := new(object)
	if err := readJSON(filepath.Join(s.bucketDir(bucketName), file), o); err != nil {
		return nil, err
	}
	if objectFile(o.Key) != file {
		return nil, fmt.Errorf("is named for another key than %q", o.Key)
	}
	if sum, err := hex.DecodeString(o.MD5); err != nil || len(sum) == 0 {
		return nil, fmt.Errorf("md5 %q is none", o.MD5)
	}
	// Base, so that a JSON written by hand cannot name a file elsewhere.
	info, err := os.Stat(filepath.Join(s.bucketDir(bucketName), filepath.Base(o.File)))
	if err != nil {
		return nil, err
	}
	if info.Size() != o.Size {
		return nil, fmt.Errorf("%d bytes are there of %d", info.Size(), o.Size)
	}
	o.File = filepath.Base(o.File)
	return o, nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return nil
}

// writeJSON puts a whole file at path or leaves what was there.
func (s *store) writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	tmp := filepath.Join(s.tmpDir(), rand.Text())
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		s.discard(tmp)
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		s.discard(tmp)
		return err
	}
	return nil
}
