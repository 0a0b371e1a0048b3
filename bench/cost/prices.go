package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Prices are what AWS asks, in dollars: one file, with its date and its sources.
type Prices struct {
	Date, Region, Note string
	Lambda             struct {
		Source          string
		GigabyteSecond  map[string]float64 // by architecture
		MillionRequests float64
	}
	S3 struct {
		Source                                                                      string
		ThousandWrites, ThousandReads, GigabyteMonth, BatchJob, MillionBatchObjects float64
	}
	EventBridge struct {
		Source, Note                                    string
		MillionEvents, MillionS3Events, MillionAPICalls float64
	}
	CloudWatch struct {
		Source         string
		GigabyteLogged float64
	}
	SQS struct {
		Source          string
		MillionRequests float64
	}
}

// load reads a JSON file; one with a field more than is known would be misread, and is refused.
func load(path string, into any, strict bool) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if strict {
		decoder.DisallowUnknownFields()
	}
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
