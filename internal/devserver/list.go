package devserver

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
)

// listPage returns one page of a listing of contents, which are sorted by key.
// A common prefix counts as one entry; the marker is the last entry of the page
// before, key or common prefix.
func listPage(contents []*gofakes3.Content, by *gofakes3.Prefix, page gofakes3.ListBucketPage) *gofakes3.ObjectList {
	var prefix, delimiter string
	if by != nil {
		prefix, delimiter = by.Prefix, by.Delimiter
	}
	list := gofakes3.NewObjectList()
	entries, last := int64(0), ""
	for _, content := range contents {
		if !strings.HasPrefix(content.Key, prefix) || content.Key <= page.Marker {
			continue
		}
		entry, common := content.Key, false
		if delimiter != "" {
			var head string
			if head, _, common = strings.Cut(content.Key[len(prefix):], delimiter); common {
				entry = prefix + head + delimiter
			}
		}
		if common && (entry == last || entry == page.Marker) {
			continue
		}
		if page.MaxKeys > 0 && entries == page.MaxKeys {
			list.IsTruncated, list.NextMarker = true, last
			break
		}
		if common {
			list.AddPrefix(entry)
		} else {
			list.Add(content)
		}
		entries, last = entries+1, entry
	}
	return list
}

// copyObject copies by reading from and putting into store.
func copyObject(ctx context.Context, store backend, srcBucket, srcKey, dstBucket, dstKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	source, err := store.GetObject(ctx, srcBucket, srcKey, nil)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	defer source.Contents.Close()
	if _, err := store.PutObject(ctx, dstBucket, dstKey, meta, source.Contents, source.Size); err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	return gofakes3.CopyObjectResult{
		ETag:         `"` + hex.EncodeToString(source.Hash) + `"`,
		LastModified: gofakes3.NewContentTime(time.Now()),
	}, nil
}
