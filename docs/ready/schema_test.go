package ready_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"s3resizer/internal/report/reporttest"
)

// What the samples say of pictures is what the function may say, in every name and every value's form.
func TestTheSamplesFollowTheReportsSchema(t *testing.T) {
	for _, name := range []string{"resized", "rejected", "superseded"} {
		var event struct {
			Detail struct{ ResponsePayload json.RawMessage }
		}
		if err := json.Unmarshal([]byte(sample(t, name)), &event); err != nil {
			t.Fatal(err)
		}
		if err := reporttest.Check(event.Detail.ResponsePayload); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := reporttest.Check([]byte(sample(t, "record"))); err != nil {
		t.Errorf("record: %v", err)
	}
}

// A field whose name is misspelt would stay empty, and nobody would notice.
func TestEveryFieldOfAPictureIsFilled(t *testing.T) {
	k := newKept()
	k.tell(t, "resized", "rejected")
	empty := emptyFields(reflect.ValueOf(k.pictures["photos/holiday/cat.jpg"]), "")
	if got := strings.Join(empty, " "); got != "Class Reason" {
		t.Errorf("a resized picture has no %s", got)
	}
	if p := k.pictures["photos/holiday/broken.jpg"]; p.Class == "" || p.Reason == "" {
		t.Errorf("%+v", p)
	}
}

func emptyFields(v reflect.Value, name string) (empty []string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			empty = append(empty, emptyFields(v.Field(i), strings.TrimPrefix(name+"."+v.Type().Field(i).Name, "."))...)
		}
	case reflect.Slice:
		if v.Len() > 0 {
			return emptyFields(v.Index(0), name)
		}
		fallthrough
	default:
		if v.IsZero() {
			empty = append(empty, name)
		}
	}
	return empty
}
