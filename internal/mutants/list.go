package main

const (
	handler = "internal/handler"
	attempt = handler + "/run.go"
	flow    = handler + "/handler.go"
)

var mutants = []mutant{
	// What is read is the object as it is now, whole.
	{attempt, `if again.ETag != b.run.info.ETag {`, `if false {`, handler, "ASuspectThatIsReplaced"},
	{"s3io/open.go", `if err == nil && etag != "" && aws.ToString(out.ETag) != etag {`, `if false {`, "s3io", "TakesNoNotice"},
	{"s3io/open.go", `in.IfMatch = &etag`, `in.IfMatch = nil`, "s3io", "TestConformance$"},
	{"s3io/span.go", `err == nil && start != s.offset`, `start < 0`, "s3io", "AnotherRange"},
	// A record comes last, in the place of the one that stood before anything was written.
	{attempt, `record.Replaces = cmp.Or(r.standing.ETag, s3io.Nothing)`, `record.Replaces = ""`, handler, "AtOnce|AnOlderUploads"},
	{attempt, `if err := cmp.Or(r.record.Wait(), r.names.Wait(), r.tags.Wait()); err != nil {`, `if err := r.names.Wait(); err != nil {`, handler, "NothingIsDoneBefore"},
	{flow, `if failure.Class == report.Class(s3io.Changed) {`, `if false {`, handler, "AtOnce|AnOlderUploads"},
	{"s3io/s3io.go", `in.IfNoneMatch = aws.String("*")`, `in.IfNoneMatch = nil`, "s3io", "TestConformanceBeyondObjects"},
	{"s3io/s3io.go", "in.IfMatch = aws.String(`\"` + u.Replaces + `\"`)", `in.IfMatch = nil`, "s3io", "TestConformanceBeyondObjects"},
	{"s3io/s3io.go", `c.noConditionalPuts.Store(true)`, ``, "s3io", "WithoutConditionalPuts"},
	// The source is looked at once more behind it.
	{attempt, `newest.ETag != result.Source.ETag || newest.CacheControl != r.info.CacheControl`, `newest.CacheControl != r.info.CacheControl`, handler, "EveryOrder|Overwritten"},
	{attempt, `newest.CacheControl != r.info.CacheControl`, `false`, handler, "AnotherCacheControl"},
	{attempt, `case err != nil || newest.ETag`, `case err == nil && newest.ETag`, handler, "EveryFaultOfTheNetwork"},
	{attempt, `return result.Status == report.Deleted || !r.settings.Delete, nil`, `return true, nil`, handler, "EveryOrder"},
	// A short cut is taken only when everything is in place.
	{flow, `r.object.etag != "" && r.object.etag != body.ETag`, `r.object.etag != ""`, "bench/cost", "Requests"},
	{attempt, `info.CacheControl == r.cacheControl() && label`, `label`, handler, "AnotherCacheControl"},
	{attempt, `return report.MadeOf(info, r.info.ETag, r.fingerprint) && info`, `return info`, handler, "EveryOrder|AnEventOfAnOlder"},
	{attempt, `record.Status == report.Resized && report.MadeOf`, `report.MadeOf`, handler, "AnEventOfAnOlder"},
	{attempt, `cmp.Or(r.record.Wait(), r.tags.Wait())`, `r.tags.Wait()`, handler, "NothingIsDoneBefore"},
	{flow, `record = r.done`, ``, handler, "TheHandlerIsTheModels"},
	{"internal/report/record.go", `rand.Text()`, `rand.Text()[:0]`, "internal/report", "NoTwoRecords"},
	{"internal/report/label.go", `return l.ETag == etag && l.Settings == fingerprint`, `return l.ETag == etag`, handler, "Settings|Faults|Older"},
	{"internal/report/label.go", `return l.ETag == etag && l.Settings == fingerprint`, `return l.Settings == fingerprint`, handler, "EveryOrder"},
	{handler + "/outcome.go", `info.Size == int64(set.Renditions[i].Bytes)`, `true`, handler, "PreviousWithOtherBytes"},
	{handler + "/outcome.go", `label.ETag == set.Source.ETag && info.Size`, `label.ETag != "" && info.Size`, handler, "EveryOrder|Rejected|Previous"},
	// What travels along is the newest upload's, and none of it ours.
	{attempt, `label.Copied == r.carried.digest()`, `label.Copied == label.Copied`, handler, "SomethingElseBeside"},
	{handler + "/carried.go", `return same.digest() == r.carried.digest(), nil`, `return true, nil`, handler, "SomethingElseBeside"},
	{handler + "/carried.go", `counted == 0 && mayRead`, `counted == 0 && (mayRead || true)`, handler, "TagsAreAskedFor"},
	{handler + "/outcome.go", `&& out.Class != report.ClassMetadata`, ``, handler, "LeaveNoRoom"},
	{"internal/report/label.go", `strings.HasPrefix(name, metaOurs)`, `false`, handler, "WhatTravels"},
	// What goes is ours, of this source, and still what was looked at.
	{"internal/handler/remove.go", `err == nil && !made(info, r.object)`, `false`, handler, "Remov|Renditions|Goes"},
	{"internal/handler/remove.go", `r.h.store.Delete(ctx, r.destination, key, info.ETag)`, `r.h.store.Delete(ctx, r.destination, key, "")`, handler, "SparedByARemoval"},
	{"internal/handler/original.go", `recorded.Kept() != nil`, `recorded.Source.Deleted`, handler, "TakesNothingAlong"},
	// Names.
	{"internal/handler/names.go", `!ours || label.Names(r.object.bucket, r.object.key)`, `!ours || label.Source != ""`, handler, "TwoSources"},
	{"internal/handler/names.go", `|| twoExtensions(r.object.key)`, ``, handler, "TwoSources"},
	{"internal/handler/names.go", `r.settings.NamesMayMeet || `, ``, handler, "ProfilesShare"},
	{attempt, `h.fingerprint(o.key)`, `h.settings.Fingerprint()`, "internal/verify", "OwnProfile"},
	{attempt, `folder != "" && key != naming.Record(r.object.key)`, `folder == "?"`, handler, "Reserved|NoTemplate|Keys|AKey"},
	{attempt, `return labelled && !label.Names(info.Bucket, info.Key)`, `return labelled && label.Source != "-"`, handler, "CopiedOverItsSource"},
	{"internal/naming/encode.go", `"+", "%20"`, `"+", "+"`, "internal/naming", "Encodings"},
	// Who is told what.
	{handler + "/failure.go", `(class == s3io.Transient || class == "")`, `true`, handler, "DeniedIsNotCalledLate"},
	{handler + "/outcome.go", `report.MadeOf(info, r.info.ETag, r.fingerprint) && out`, `report.MadeOf(info, r.info.ETag, "") && out`, handler, "SmallerLimits"},
}
