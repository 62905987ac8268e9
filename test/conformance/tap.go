// Package tap writes results of tests as TAP: what the validation programs of runtime-tools use of a package of this
// name that Debian does not have. `build` puts it where they look for it.
package tap

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// T counts the results that it writes.
type T struct {
	*report
	todo string
}

type report struct {
	Writer io.Writer
	count  int
	plan   bool
}

// New writes to the standard output.
func New() *T { return &T{report: &report{Writer: os.Stdout}} }

// Header begins a report; a plan of 0 is written by AutoPlan.
func (t *T) Header(plan int) {
	fmt.Fprintln(t.Writer, "TAP version 13")
	if plan > 0 {
		t.plan = true
		fmt.Fprintf(t.Writer, "1..%d\n", plan)
	}
}

// AutoPlan ends a report that had no plan.
func (t *T) AutoPlan() {
	if !t.plan {
		fmt.Fprintf(t.Writer, "1..%d\n", t.count)
		t.plan = true
	}
}

// Ok writes one result.
func (t *T) Ok(good bool, description string) {
	word := "ok"
	t.count++
	if !good {
		word = "not ok"
	}
	fmt.Fprintf(t.Writer, "%s %d - %s%s\n", word, t.count, description, t.todo)
}

// Pass and Fail are the two cases of Ok.
func (t *T) Pass(description string) { t.Ok(true, description) }

// Fail is the other.
func (t *T) Fail(description string) { t.Ok(false, description) }

// Skip counts tests that cannot run here.
func (t *T) Skip(count int, description string) {
	for ; count > 0; count-- {
		t.count++
		fmt.Fprintf(t.Writer, "ok %d # SKIP %s\n", t.count, description)
	}
}

// Todo gives a T whose failures are expected.
func (t *T) Todo() *T { return &T{report: t.report, todo: " # TODO"} }

// Diagnostic writes a comment.
func (t *T) Diagnostic(message string) {
	fmt.Fprintln(t.Writer, "# "+strings.ReplaceAll(strings.TrimRight(message, "\n"), "\n", "\n# "))
}

// Diagnosticf formats one.
func (t *T) Diagnosticf(format string, arguments ...interface{}) {
	t.Diagnostic(fmt.Sprintf(format, arguments...))
}

// YAML writes details below a result (JSON is YAML).
func (t *T) YAML(details interface{}) error {
	text, err := json.MarshalIndent(details, "  ", "  ")
	if err == nil {
		fmt.Fprintf(t.Writer, "  ---\n  %s\n  ...\n", text)
	}
	return err
}
