package config

import (
	"errors"
	"fmt"
	"strings"

	"s3resizer/internal/naming"
)

// Source and destination may be one bucket. The function can't know what its trigger watches there, and need not: beneath the
// folder that the template begins with, and among the records, there are no sources. So what it writes is never resized again,
// whatever the trigger sends, and even where its metadata are lost.

// OneBucket reports whether what is made of a bucket's pictures goes into that bucket.
func (s Settings) OneBucket(bucket string) bool { return s.DestBucket.For(bucket) == bucket }

// CheckSource refuses a source bucket that is its own destination, if the templates have no folder of their own.
func (s Settings) CheckSource(bucket string) error {
	if !s.OneBucket(bucket) {
		return nil
	}
	if err := s.checkRoots(); err != nil {
		return fmt.Errorf("source and destination are both %s: %w", bucket, err)
	}
	return nil
}

// checkRoots refuses templates that are not all in the folder of the function's own, by what that has before its first brace: rights
// are for that, a trigger leaves it out, and what is left over is looked for there.
func (s Settings) checkRoots() error {
	if s.Key.Root() == "" {
		return errNoRoot
	}
	beginning, _, _ := strings.Cut(s.Key.String(), "{")
	for _, profile := range s.Profiles {
		if !strings.HasPrefix(profile.Key.String(), beginning) {
			return fmt.Errorf("in one bucket the key of every rendition begins as RESIZE_KEY_TEMPLATE does, with %s: the key_template of the profile %q, which is %q, has to begin with it",
				beginning, profile.Prefix, profile.Key)
		}
	}
	return nil
}

// checkPlace refuses "{bucket}", with which every source is its own destination, in the same way.
func (s Settings) checkPlace() error {
	if s.DestBucket != "{bucket}" {
		return nil
	}
	if err := s.checkRoots(); err != nil {
		return fmt.Errorf("%sDEST_BUCKET, %[1]sKEY_TEMPLATE: %w", prefix, err)
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
	if root := s.Key.Root(); root != "" && strings.HasPrefix(key, root) {
		return root
	}
	return naming.Reserved(key)
}
