package handler

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/s3io"
)

// lookAtNames asks whether the names of the renditions are another source's, where they can be: those of a.tif, which
// becomes a.tif.jpg, and those of a.tif.jpg are the same. Of all renditions that is so or not alike, so one is asked for; but
// where the names of two profiles may meet, any.
func (r *run) lookAtNames(ctx context.Context) {
	for i, size := range r.settings.Sizes {
		for _, format := range r.source.Outputs(r.settings.Formats) {
			if r.settings.NamesMayMeet || i == 0 && (format.Appended(r.source.Format) != "" || twoExtensions(r.object.key)) {
				key := r.describe(size.Name, format).Key
				r.names.Go(func() error { return r.free(ctx, key) })
			}
		}
	}
}

// picturesExtension is what ends the name of a picture, but for a second extension.
var picturesExtension = regexp.MustCompile(`(?i)\.(jpe?g|png|webp|avif|gif|tiff?|hei[cf])$`)

func twoExtensions(key string) bool {
	return picturesExtension.MatchString(strings.TrimSuffix(key, path.Ext(key)))
}

// free returns a [*resize.Rejection] if a rendition with the key is of another source that is still there.
func (r *run) free(ctx context.Context, key string) error {
	there, err := r.h.store.Head(ctx, r.destination, key)
	if s3io.ClassOf(err) == s3io.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	label, ours := report.LabelOf(there)
	if !ours || label.Names(r.object.bucket, r.object.key) {
		return nil
	}
	if other := label.Key(r.object.bucket); other != "" {
		_, err := r.h.store.Head(ctx, r.object.bucket, other)
		if s3io.ClassOf(err) == s3io.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return &resize.Rejection{Class: resize.Class(report.ClassKeyTaken), Reason: fmt.Sprintf(
		"its renditions would have the names of those of %s, such as %s; upload one of the two under another name", label.Source, key)}
}
