package devserver

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"slices"
	"sync"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// memory is gofakes3's back end in memory, made to tell of the objects it
// creates, to check a write's conditions and write in one step, and to list
// and answer HEAD as S3 does.
type memory struct {
	*s3mem.Backend
	mu sync.Mutex // held from checking a write's conditions until it is done
}

func newMemory() *memory { return &memory{Backend: s3mem.New()} }

// Close has nothing to close: the memory goes with the process.
func (m *memory) Close() error { return nil }

func (m *memory) PutObject(ctx context.Context, bucket, key string, meta map[string]string, input io.Reader, size int64) (gofakes3.PutObjectResult, error) {
	// A slow uploader must not hold the lock.
	body, err := gofakes3.ReadAll(input, size)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.checkConditions(ctx, bucket, key); err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	result, err := m.Backend.PutObject(ctx, bucket, key, meta, bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return result, err
	}
	stored, err := m.Backend.HeadObject(ctx, bucket, key)
	if err != nil {
		return result, err
	}
	note(ctx, change{
		bucket:    bucket,
		key:       key,
		size:      stored.Size,
		etag:      hex.EncodeToString(stored.Hash),
		versionID: string(result.VersionID),
	})
	return result, nil
}

func (m *memory) DeleteObject(ctx context.Context, bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, missing := m.Backend.HeadObject(ctx, bucket, key)
	result, err := m.Backend.DeleteObject(ctx, bucket, key)
	if err == nil && (missing == nil || result.IsDeleteMarker) {
		note(ctx, change{bucket: bucket, key: key, removed: true, marked: result.IsDeleteMarker, versionID: string(result.VersionID)})
	}
	return result, err
}

func (m *memory) DeleteMulti(ctx context.Context, bucket string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	return deleteMulti(ctx, m, bucket, keys)
}

func (m *memory) checkConditions(ctx context.Context, bucket, key string) error {
	if !gofakes3.HasWriteConditions(ctx) {
		return nil
	}
	there, err := m.Backend.HeadObject(ctx, bucket, key)
	switch {
	case gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey):
		return gofakes3.CheckWriteConditions(ctx, false, "")
	case err != nil:
		return err
	}
	return gofakes3.CheckWriteConditions(ctx, true, hex.EncodeToString(there.Hash))
}

func (m *memory) CopyObject(ctx context.Context, srcBucket, srcKey, dstBucket, dstKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	return copyObject(ctx, m, srcBucket, srcKey, dstBucket, dstKey, meta)
}

// HeadObject hides the version ids that s3mem gives objects of buckets that
// have never been versioned.
func (m *memory) HeadObject(ctx context.Context, bucket, key string) (*gofakes3.Object, error) {
	object, err := m.Backend.HeadObject(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	versioning, err := m.VersioningConfiguration(bucket)
	if err != nil {
		return nil, err
	}
	if versioning.Status == gofakes3.VersioningNone {
		object.VersionID = ""
	}
	return object, nil
}

// ListBucket pages by listPage: s3mem's own paging leaves out the first key
// after a marker that is no key itself, and mistakes delimiters that begin or
// end a key.
func (m *memory) ListBucket(ctx context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	all, err := m.Backend.ListBucket(ctx, name, nil, gofakes3.ListBucketPage{})
	if err != nil {
		return nil, err
	}
	const noETag = `""` // the mark of a deleted version
	contents := slices.DeleteFunc(all.Contents, func(c *gofakes3.Content) bool { return c.ETag == noETag })
	return listPage(contents, prefix, page), nil
}
