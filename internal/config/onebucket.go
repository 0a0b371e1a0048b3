package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"s3resizer/internal/naming"
)

// Source and destination may be one bucket. The function can't know what its trigger watches there, and need not: beneath the
// folder that the template begins with, and among the records, there are no sources. So what it writes is never resized again,
// whatever the trigger sends, and even where its metadata are lost.

// OneBucket reports whether what is made of a bucket's pictures goes into that bucket.
func (s Settings) OneBucket(bucket string) bool { return s.DestBucket.For(bucket) == bucket }

// CheckSource refuses a source bucket that is its own destination, if the template has no folder of its own.
func (s Settings) CheckSource(bucket string) error {
	if s.OneBucket(bucket) && slices.Contains(s.roots(), "") {
		return fmt.Errorf("source and destination are both %s: %w", bucket, errNoRoot)
	}
	return nil
}

// roots are the folders of the templates, those of the profiles too.
func (s Settings) roots() []string {
	roots := []string{s.Key.Root()}
	for _, profile := range s.Profiles {
		if !profile.Skip {
			roots = append(roots, profile.Key.Root())
		}
	}
	return roots
}

// checkPlace refuses "{bucket}", with which every source is its own destination, in the same way.
func (s Settings) checkPlace() error {
	if s.DestBucket == "{bucket}" && slices.Contains(s.roots(), "") {
		return fmt.Errorf("%sDEST_BUCKET, %[1]sKEY_TEMPLATE: %w", prefix, errNoRoot)
	}
	return nil
}

var errNoRoot = errors.New(`in one bucket renditions need a folder of their own, which holds nothing else: RESIZE_KEY_TEMPLATE has to begin with one, such as "resized/{size}/{key}"; or set RESIZE_DEST_BUCKET to another bucket`)

// Output returns the folder of renditions, records or notes that an object lies in, where nothing is a source, whoever wrote
// it; or "". It is for source buckets.
func (s Settings) Output(bucket, key string) string {
	if !s.OneBucket(bucket) {
		return ""
	}
	for _, root := range s.roots() {
		if root != "" && strings.HasPrefix(key, root) {
			return root
		}
	}
	return naming.Reserved(key)
}
