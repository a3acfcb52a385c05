package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"io"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// descriptions writes what the doc comments say of each message, of its fields and of the special types:
// a line with the name of a type and its text, and behind a dot a line for each field that has a text.
func (t *table) descriptions(out io.Writer) {
	names := sorted(t.messages)
	for full := range special {
		dot := strings.LastIndex(full, ".")
		t.paths[id(full[:dot])] = full[:dot]
		names = append(names, id(full[:dot])+full[dot:])
	}
	sort.Strings(names)
	for _, full := range names {
		short, name, _ := strings.Cut(full, ".")
		pkg := t.sources.load(t.paths[short])
		declared := pkg.types[name]
		fmt.Fprintf(out, "%s %s\n", full, quoted(prose(declared.comment)))
		structure, ok := declared.spec.Type.(*ast.StructType)
		if _, own := t.messages[full]; !ok || !own {
			continue
		}
		for _, field := range structure.Fields.List {
			if name := jsonName(field); name != "" {
				said := append(lines(field.Doc.Text()), t.enumLines(pkg, declared, field.Type)...)
				fmt.Fprintf(out, ".%s %s\n", name, quoted(prose(said)))
			}
		}
	}
}

// jsonName is empty for fields that are embedded or not shown.
func jsonName(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	raw, _ := strconv.Unquote(field.Tag.Value)
	name, _, _ := strings.Cut(reflect.StructTag(raw).Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// enumLines tells the values of an enumeration.
func (t *table) enumLines(pkg *goPackage, in *goType, expr ast.Expr) []string {
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	var name string
	switch expr := expr.(type) {
	case *ast.SelectorExpr:
		pkg, name = t.sources.load(in.imports[expr.X.(*ast.Ident).Name]), expr.Sel.Name
	case *ast.Ident:
		name = expr.Name
	}
	if _, known := t.enums[id(pkg.path)+"."+name]; !known {
		return nil
	}
	var lines []string
	for constantName, constant := range pkg.constants {
		if text, err := strconv.Unquote(constant.literal); err == nil && constant.typeName == name {
			said := strings.TrimPrefix(strings.TrimSpace(constant.doc), constantName)
			lines = append(lines, fmt.Sprintf(" - `%q` %s", text, strings.Join(strings.Fields(said), " ")))
		}
	}
	sort.Strings(lines)
	return append([]string{"", "Possible enum values:"}, lines...)
}

// lines of a text, without the empty one behind its last newline.
func lines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// prose joins the lines of a comment to paragraphs. Indented lines stay lines; notes to developers are left out.
func prose(lines []string) string {
	var text []byte
	shorten := func() { text = text[:max(len(text)-1, 0)] }
	for _, line := range lines {
		line = strings.TrimRight(line, " ")
		plain := strings.TrimLeft(line, " ")
		if line == "---" {
			break
		}
		switch {
		case line == "":
			shorten()
			text = append(text, "\n\n"...)
		case strings.HasPrefix(plain, "TODO"), strings.HasPrefix(plain, "+"):
		case line[0] == ' ' || line[0] == '\t':
			shorten()
			text = append(text, "\n"+line+"\n"...)
		default:
			text = append(text, line+" "...)
		}
	}
	return strings.TrimSpace(string(text))
}

func quoted(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err)
	}
	return strings.TrimSpace(out.String())
}
