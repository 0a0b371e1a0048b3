// Package reporttest holds reports and records against their schema, docs/report.v1.schema.json, in tests.
//
// It is stricter than the schema: a property, or a word, that the schema does not know is an error here. For readers it is
// none, because what is added later must not break them; but what is written must stand in the schema.
package reporttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Check returns what is wrong with a report, or with a record, as JSON.
func Check(data []byte) error { return check(data, strict) }

// Read returns what a reader of a later report finds wrong with it: the schema as it stands, with what it leaves open.
func Read(data []byte) error { return check(data, open) }

func check(data []byte, compile func() (*jsonschema.Schema, error)) error {
	schema, err := compile()
	if err != nil {
		return err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err == nil {
		err = schema.Validate(document)
	}
	if err != nil {
		return fmt.Errorf("%s\n%w", data, err)
	}
	return nil
}

// CheckValue does the same for a report that is not JSON yet.
func CheckValue(report any) error {
	data, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return Check(data)
}

// Path is where the schema is.
func Path() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../../docs/report.v1.schema.json")
}

// open is the schema, strict the same with every object and every list of words closed.
var (
	open   = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(false) })
	strict = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(true) })
)

func compile(closed bool) (*jsonschema.Schema, error) {
	data, err := os.ReadFile(Path())
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	root := document.(map[string]any)
	for _, definition := range root["$defs"].(map[string]any) {
		object := definition.(map[string]any)
		if !closed || object["type"] != "object" {
			continue
		}
		object["unevaluatedProperties"] = false
		for _, property := range object["properties"].(map[string]any) {
			if known, open := property.(map[string]any)["examples"]; open {
				property.(map[string]any)["enum"] = known
			}
		}
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.AssertContent()
	id := root["$id"].(string)
	if err := compiler.AddResource(id, root); err != nil {
		return nil, err
	}
	return compiler.Compile(id)
}
