package config

import "s3resizer/resize"

// Setting is one row of the table of settings, from which everything that tells of settings is made: what [Load] reads, what
// s3resizer settings prints, the table in docs/settings.md, the gallery's list and the descriptions in the template.
type Setting struct {
	Name    string // of the variable
	Default string // "" where what is in force follows from something else
	Else    string // what that is then
	Says    string // what it is, in half a sentence of plain text
	Why     string // what else there is to know, in Markdown; or ""

	set     func(s *Settings, value string) error // an error says what would be right; nil of the profiles, which are read last
	decides func(now, usual Settings) string      // what differs from the default, "" if nothing does, if it decides what a rendition is or is called
}

// Table has every setting there is. To add one, add a row, and use it.
var Table = []Setting{
	{
		Name: "RESIZE_SIZES", Default: "small=368,medium=720,large=1440", set: setSizes, decides: value(func(s Settings) string {
			return list(s.Sizes, resize.Size.String)
		}),
		Says: "names and widths in pixels, any number of them, such as small=368,large=1440; or heights and boxes, such as tall=x600,avatar=200x200:cover",
		Why:  "[What they say](#sizes).",
	},
	{
		Name: "RESIZE_FORMATS", Default: "source", set: setFormats, decides: value(func(s Settings) string { return list(s.Formats, func(f resize.Format) string { return string(f) }) }),
		Says: "what each size is made in: a comma list of source, jpeg, png, webp, avif",
	},
	{
		Name: "RESIZE_QUALITY", Default: "jpeg=80,webp=80,avif=50", set: setQuality, decides: numbers((*Settings).qualities),
		Says: "1 to 100, for all formats (75) or each (jpeg=80,webp=78,avif=50)",
		Why:  "The scales are the codecs' own, and AVIF at 50 looks about like JPEG at 80.",
	},
	{
		Name: "RESIZE_EFFORT", Default: "webp=2,avif=2,gif=4", set: setEffort, decides: numbers((*Settings).efforts),
		Says: "how hard the encoders try, 1 to 9, for all formats (3) or each",
		Why:  "The defaults are where more time stops to pay: [docs/effort.md](effort.md).",
	},
	{
		Name: "RESIZE_DEST_BUCKET", Default: "{bucket}-resized", set: setDestBucket,
		Says: "where renditions go; {bucket} is the source's name",
		Why:  "Never the source itself: renditions would raise events of their own. A name without `{bucket}` is for one source bucket.",
	},
	{
		Name: "RESIZE_KEY_TEMPLATE", Default: "{size}-{key}", set: setKeyTemplate, decides: value(func(s Settings) string { return s.Key.String() }),
		Says: "what renditions are called; also with {dir}, {name} and {ext}",
		Why:  "One that could give two sources the same key is refused.",
	},
	{
		Name: "RESIZE_CACHE_CONTROL", Else: "the source's own", set: setCacheControl, decides: value(func(s Settings) string { return s.CacheControl }),
		Says: "Cache-Control of the renditions, such as public, max-age=3600",
	},
	{
		Name: "RESIZE_BACKGROUND", Default: "white", set: setBackground, decides: value(func(s Settings) string { return s.Background.String() }),
		Says: "what shows through where alpha becomes JPEG, and surrounds a picture in its box: white, black or #rrggbb",
	},
	{
		Name: "RESIZE_COPY", Else: "nothing", set: setCopy, decides: value(func(s Settings) string { return s.Copy.String() }),
		Says: "what of an upload its renditions get: a comma list of metadata, tags, content-disposition, copyright",
		Why:  "[What travels along](#what-travels-along) says how.",
	},
	{
		Name: "RESIZE_BUCKET_OWNER", Else: "the function's own account", set: setBucketOwner,
		Says: "the account that must own both buckets, or any",
		Why:  "`<bucket>-resized` is a name that anybody can register. `any` is for an S3 that is not AWS's.",
	},
	{
		Name: "RESIZE_RECORD", Default: "on", set: func(s *Settings, value string) error { return setSwitch(&s.Record, value) },
		Says: "the commit record is written: on or off",
		Why:  "Without it there is no way to tell a complete set, and no backfill.",
	},
	{
		Name: "RESIZE_MAX_BYTES", Default: "128MiB", set: setMaxBytes,
		Says: "the most bytes of a source",
		Why:  "Checked before it is read.",
	},
	{
		Name: "RESIZE_MAX_PIXELS", Default: "150000000", set: setMaxPixels,
		Says: "the most pixels of a source, width × height × frames",
		Why:  "Checked before anything is decoded.",
	},
	{
		Name: "RESIZE_MAX_FRAMES", Default: "500", set: setMaxFrames,
		Says: "the most frames of an animation, or pages of a TIFF; at most 10000",
	},
	{
		Name: "RESIZE_MAX_MEMORY", Else: "70 % of the function's memory, shared by the pictures worked on at once", set: setMaxMemory,
		Says: "the most memory that resizing one source may take, such as 400MiB",
		Why:  "It is estimated from the header; more is rejected before it is decoded.",
	},
	{
		Name: "RESIZE_ON_TRUNCATED", Default: "reject", set: setOnTruncated, decides: value(func(s Settings) string { return map[bool]string{true: "accept", false: "reject"}[s.AcceptTruncated] }),
		Says: "what becomes of a JPEG that is cut short but has half of its rows: reject or accept",
		Why:  "Rendered, what is missing is grey or coarse, and the report's source says `\"truncated\": true`.",
	},
	{
		Name: "RESIZE_PLANAR", Default: "on", set: func(s *Settings, value string) error { return setSwitch(&s.Planar, value) },
		Says: "the common JPEG is resized by its planes; off sends every JPEG through libvips",
		Why:  "For comparing, and should the quicker way ever do something wrong.",
	},
	{
		Name: "RESIZE_DELETE", Default: "off", set: func(s *Settings, value string) error { return setSwitch(&s.Delete, value) },
		Says: "whether what was made of an upload goes when the upload does",
		Why: "When an upload is deleted, expires or comes under a delete marker, its renditions and its record go too (only objects whose metadata names that source; what was made under earlier settings only as far as the record still names it). " +
			"The function needs `s3:DeleteObject` on the destination and the bucket's removal events (`s3wire add --delete`, `DeleteRenditions=yes`). Each goes only if it still is what was looked at (a DELETE with `If-Match`). " +
			"An S3 that says it has no such thing, as LocalStack does, gets a look and then a plain DELETE: a rendition that an upload brings in the moment between goes too, and is made anew right after.",
	},
	{
		Name: "RESIZE_DEADLINE_MARGIN", Default: "500ms", set: setDeadlineMargin,
		Says: "how long before the function's time limit work stops, to say what is missing",
	},
	{
		Name: "RESIZE_LOG_LEVEL", Default: "info", set: setLogLevel,
		Says: "what is logged: error (failures alone), warn (rejected pictures too), info (a line per object) or debug (every write besides)",
		Why:  "The log is JSON.",
	},
	{
		Name: "RESIZE_METRICS", Default: "on", set: func(s *Settings, value string) error { return setSwitch(&s.Metrics, value) },
		Says: "CloudWatch metrics in the function's log: on or off",
		Why:  "They are written in Lambda alone.",
	},
	{
		Name: ProfilesName, Else: "none",
		Says: "settings by prefix, a JSON array; Lambda takes 4 KB of all variables",
		Why:  "[Below](#settings-by-prefix).",
	},
}
