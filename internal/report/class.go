package report

import "s3resizer/s3io"

// Class says what went wrong, in a word that stays the same: metrics, alarms, log lines, the report and the commands have no
// other. Those of s3io and resize become one of these, by the same word, where their errors are sorted out.
//
// Classes are added in later releases. Who reads one that he does not know takes it by where it stands: in a result it is the
// picture's own, in an error it is not.
type Class string

// The classes beside those of s3io and resize.
const (
	ClassKeyTooLong   Class = "key-too-long"       // no room is left for the keys of what is made of it
	ClassReservedKey  Class = "reserved-key"       // its renditions would lie among the records
	ClassKeyTaken     Class = "key-taken"          // its renditions would have the names of another source's
	ClassMetadata     Class = "metadata-too-large" // its user metadata leave no room for ours
	ClassTooSlow      Class = "too-slow"           // it took all the time there was, twice
	ClassUnknownEvent Class = "unknown-event"      // of a shape that is not handled
	ClassSameBucket   Class = "same-bucket"        // source and destination are one, without a folder for renditions: refused
	ClassDeadline     Class = "deadline"           // the time limit came too close
	ClassInternal     Class = "internal"           // a fault of ours, or of libvips
	ClassCrashed      Class = "crashed"            // the process that worked on it ended
	ClassHung         Class = "hung"               // it had to be killed, because it did not end
	ClassThrottled    Class = "throttled"          // Lambda had no room for it
)

// Matter says whose a class is, and with that what Lambda does.
type Matter string

// The matters.
const (
	Pictures  Matter = "of a rejected picture"                   // a result: it is done
	Passing   Matter = "of a failure that may pass"              // an error: it is tried again
	Operators Matter = "of a failure that somebody has to mend"  // an error: tried again, and then a dead letter
	Jobs      Matter = "of a picture in `backfill` and `verify`" // the process or the function did not answer
)

// Meaning is what there is to know of a class.
type Meaning struct {
	Class  Class
	Matter Matter
	Says   string // what it is, in Markdown
	Do     string // what somebody can do about it, in Markdown
}

// Classes has every class there is, by matter. The table in docs/operating.md is made of it.
var Classes = []Meaning{
	{"unsupported", Pictures, "not an image, or of a format that is not resized", "nothing; the reason names the format"},
	{"too-large", Pictures, "beyond `RESIZE_MAX_…`, or one of the [limits](limits.md) that are no settings", "if such pictures are wanted, raise the limit, and the function's memory with it"},
	{"corrupt", Pictures, "damaged or cut short", "have it uploaded again"},
	{ClassKeyTooLong, Pictures, "its key leaves no room for a rendition's, or the record's: S3 ends at 1024 bytes", "upload under a shorter key, or shorten `RESIZE_KEY_TEMPLATE` or the sizes' names"},
	{ClassTooSlow, Pictures, "resizing it took all the time there was, twice under the same settings; the first time is `deadline`", "if such pictures are wanted, raise the function's time limit or its memory, and have it uploaded again"},
	{ClassReservedKey, Pictures, "its renditions would lie in `.s3resizer/`, where the records are", "move the upload, or choose another `RESIZE_KEY_TEMPLATE`"},
	{ClassKeyTaken, Pictures, "its renditions would have the names of another source's: `a.tif` becomes `a.tif.jpg`, and so does `a.tif.jpg`; two [profiles](settings.md#settings-by-prefix) may make such names too", "upload one of the two under another name"},

	{ClassMetadata, Pictures, "its user metadata, which `RESIZE_COPY` gives its renditions, leave no room for what those say of themselves: S3 ends at 2 KB", "upload it with less, or take `metadata` out of `RESIZE_COPY`"},

	{Class(s3io.Transient), Passing, "the network, time-outs, throttling, S3's own faults", "nothing, it is tried again; if it lasts, look at the way to S3 (VPC endpoint, proxy) and at S3's health"},
	{Class(s3io.Changed), Passing, "overwritten again and again while it was resized", "nothing, the last upload's event does it"},
	{ClassDeadline, Passing, "the time limit came too close", "raise the function's time limit or its memory, which brings processor time"},

	{Class(s3io.Denied), Operators, "by policy, by credentials, or because another account owns the bucket", "allow `s3:GetObject` and `s3:ListBucket` on both buckets and `s3:PutObject` on the destination (with `RESIZE_DELETE=on` `s3:DeleteObject` there too, with `RESIZE_ORIGINAL=delete` on the source, and with `RESIZE_COPY=tags` `s3:GetObjectTagging` on the source and `s3:PutObjectTagging` on the destination), and with SSE-KMS the use of the key; see `RESIZE_BUCKET_OWNER`"},
	{Class(s3io.KMS), Operators, "the key of the object or the bucket is disabled, deleted or of no use for it", "enable it, or encrypt with another one"},
	{Class(s3io.NoSuchBucket), Operators, "a bucket isn't there", "create it, or set `RESIZE_DEST_BUCKET`"},
	{Class(s3io.NotFound), Operators, "S3 knows no such place on a write", "see whether `AWS_ENDPOINT_URL_S3` is an S3's"},
	{Class(s3io.Archived), Operators, "in a storage class that must be restored first", "restore it and send the event again, or archive later"},
	{Class(s3io.WrongRegion), Operators, "the bucket is in another region", "run the function in the bucket's"},
	{Class(s3io.Invalid), Operators, "S3 does not accept the request as it is, or does not know what it asks for (501), or no bucket can be called so", "the message has the reason; an S3 that is not AWS's may lack something; for a source of a long name, `RESIZE_DEST_BUCKET` has to make another than `{bucket}-resized`"},
	{ClassSameBucket, Operators, "source and destination are one, and renditions have no folder of their own, the same for all", "begin `RESIZE_KEY_TEMPLATE`, and that of each profile, with one folder, or set `RESIZE_DEST_BUCKET`"},
	{ClassUnknownEvent, Operators, "an event, or a part of one, of a shape that is not handled", "see what invokes the function; the message lists the shapes"},
	{ClassInternal, Operators, "a fault of s3resizer or of libvips", "report it, with the picture"},

	{ClassCrashed, Jobs, "the process that worked on it ended, or Lambda ended the function's", "it is quarantined; look at its memory, and report it, with the picture"},
	{ClassHung, Jobs, "it was not done in time, and the process was killed", "it is quarantined; try it with a longer `--time-limit`"},
	{ClassThrottled, Jobs, "Lambda had no room for the invocation for five minutes", "take fewer `--jobs`, or raise the function's concurrency"},
}

// Meaning returns what there is to know of a class; of an unknown one, nothing but the class.
func (c Class) Meaning() Meaning {
	for _, m := range Classes {
		if m.Class == c {
			return m
		}
	}
	return Meaning{Class: c}
}
