package verify

import (
	"slices"

	"s3resizer/internal/config"
	"s3resizer/internal/report"
	"s3resizer/resize"
)

// setOf returns the renditions that there have to be of a source under the settings, as far as its record tells: of a
// resized picture every size in every format, of a rejected upload the older set that the record names. What the record
// says of a rendition's bytes is taken over; if it does not name one, they are 0.
func setOf(settings *config.Settings, record report.Result) []report.Rendition {
	if record.Status != report.Resized {
		if record.Previous == nil {
			return nil
		}
		return record.Previous.Renditions
	}
	source := &resize.Source{Format: record.Source.Format, Width: record.Source.Width, Height: record.Source.Height}
	if record.Source.Alpha != nil {
		source.Alpha = *record.Source.Alpha
	} else {
		source.Alpha = hadAlpha(source, settings.Formats, record.Renditions)
	}
	var set []report.Rendition
	for _, size := range settings.Sizes {
		for _, format := range source.Outputs(settings.Formats) {
			wanted := report.Rendition{
				Size: size.Name, Bucket: settings.DestBucket.For(record.Source.Bucket), Format: format, ContentType: format.MediaType(),
				Key: settings.Key.For(record.Source.Key, size.Name, format.Appended(source.Format)),
			}
			wanted.Width, wanted.Height = source.Fit(size, format)
			if i := slices.IndexFunc(record.Renditions, func(r report.Rendition) bool { return r.Key == wanted.Key }); i >= 0 {
				wanted.Bytes, wanted.ETag = record.Renditions[i].Bytes, record.Renditions[i].ETag
			}
			set = append(set, wanted)
		}
	}
	return set
}

// hadAlpha finds out what an old record does not say, and the format of some renditions depends on.
func hadAlpha(source *resize.Source, wanted []resize.Format, made []report.Rendition) bool {
	var formats []resize.Format
	for _, r := range made {
		if !slices.Contains(formats, r.Format) {
			formats = append(formats, r.Format)
		}
	}
	with := *source
	with.Alpha = true
	return slices.Equal(formats, with.Outputs(wanted)) || slices.Contains(formats, resize.PNG) && !slices.Contains(formats, resize.JPEG)
}
