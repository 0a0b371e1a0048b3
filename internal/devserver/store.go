package devserver

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/rclone/gofakes3"
)

// store is a back end on a folder. The bytes of objects are on disk only; an
// index of everything else is in memory.
//
//	devserver.lock                        the mark of a store's folder, flocked while it is open
//	buckets/<bucket>/bucket.json          when the bucket was created
//	buckets/<bucket>/<sha256 of key>.json an object: its key, its metadata, the name of its file
//	buckets/<bucket>/<sha256 of key>-<id> the object's bytes, never changed
//	tmp/                                  what is still being received; emptied on opening
//
// An object takes its place by the rename of its JSON. A kill before that
// leaves the older object whole, and bytes that no JSON names, which the next
// opening removes.
type store struct {
	dir  string
	lock *os.File
	log  *slog.Logger

	mu      sync.RWMutex
	buckets map[string]*bucket
	uploads map[gofakes3.UploadID]*multipart
}

var (
	_ backend                   = (*store)(nil)
	_ gofakes3.MultipartBackend = (*store)(nil)
)

// Close unlocks the folder.
func (s *store) Close() error { return s.lock.Close() }

func (s *store) ListBuckets(context.Context) ([]gofakes3.BucketInfo, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var infos []gofakes3.BucketInfo
	for name, b := range s.buckets {
		infos = append(infos, gofakes3.BucketInfo{Name: name, CreationDate: gofakes3.NewContentTime(b.Created)})
	}
	return infos, nil
}

func (s *store) BucketExists(_ context.Context, name string) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.buckets[name] != nil, nil
}

func (s *store) CreateBucket(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	b := &bucket{Created: time.Now(), objects: map[string]*object{}}
	if err := os.MkdirAll(s.bucketDir(name), 0o755); err != nil {
		return err
	}
	if err := s.writeJSON(filepath.Join(s.bucketDir(name), bucketFile), b); err != nil {
		return err
	}
	s.buckets[name] = b
	return nil
}

func (s *store) DeleteBucket(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	switch {
	case b == nil:
		return gofakes3.BucketNotFound(name)
	case len(b.objects) > 0:
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
	}
	if err := os.Remove(filepath.Join(s.bucketDir(name), bucketFile)); err != nil {
		return err
	}
	delete(s.buckets, name)
	return os.RemoveAll(s.bucketDir(name))
}

func (s *store) ListBucket(_ context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[name]
	if b == nil {
		return nil, gofakes3.BucketNotFound(name)
	}
	contents := make([]*gofakes3.Content, 0, len(b.objects))
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		contents = append(contents, b.objects[key].content())
	}
	return listPage(contents, prefix, page), nil
}

func (s *store) HeadObject(_ context.Context, bucketName, key string) (*gofakes3.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, err := s.find(bucketName, key)
	if err != nil {
		return nil, err
	}
	return o.answer(nil, http.NoBody), nil
}

func (s *store) GetObject(_ context.Context, bucketName, key string, asked *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	// An opened file outlives its object's replacement, so the lock is not
	// needed while it is read.
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, err := s.find(bucketName, key)
	if err != nil {
		return nil, err
	}
	part, err := asked.Range(o.Size)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(s.bucketDir(bucketName), o.File))
	if err != nil {
		return nil, err
	}
	if part == nil {
		return o.answer(nil, f), nil
	}
	return o.answer(part, struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, part.Start, part.Length), f}), nil
}

func (s *store) PutObject(ctx context.Context, bucketName, key string, meta map[string]string, input io.Reader, size int64) (gofakes3.PutObjectResult, error) {
	received, err := s.receive(input, size)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	if err := s.commit(ctx, bucketName, key, meta, received); err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	return gofakes3.PutObjectResult{ETag: received.etag()}, nil
}

func (s *store) CopyObject(ctx context.Context, srcBucket, srcKey, dstBucket, dstKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	return copyObject(ctx, s, srcBucket, srcKey, dstBucket, dstKey, meta)
}

func (s *store) DeleteObject(ctx context.Context, bucketName, key string) (gofakes3.ObjectDeleteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.find(bucketName, key)
	if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
		return gofakes3.ObjectDeleteResult{}, nil
	}
	if err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	if err := os.Remove(filepath.Join(s.bucketDir(bucketName), objectFile(key))); err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	delete(s.buckets[bucketName].objects, key)
	s.discard(filepath.Join(s.bucketDir(bucketName), o.File))
	note(ctx, change{bucket: bucketName, key: key, removed: true})
	return gofakes3.ObjectDeleteResult{}, nil
}

func (s *store) DeleteMulti(ctx context.Context, bucketName string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	return deleteMulti(ctx, s, bucketName, keys)
}

// deleteMulti removes objects one by one.
func deleteMulti(ctx context.Context, from backend, bucketName string, keys []string) (gofakes3.MultiDeleteResult, error) {
	var result gofakes3.MultiDeleteResult
	for _, key := range keys {
		if _, err := from.DeleteObject(ctx, bucketName, key); err != nil {
			failed := gofakes3.ErrorResultFromError(err)
			failed.Key = key
			result.Error = append(result.Error, failed)
			continue
		}
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, nil
}

// find needs s.mu.
func (s *store) find(bucketName, key string) (*object, error) {
	b := s.buckets[bucketName]
	if b == nil {
		return nil, gofakes3.BucketNotFound(bucketName)
	}
	o := b.objects[key]
	if o == nil {
		return nil, gofakes3.KeyNotFound(key)
	}
	return o, nil
}
