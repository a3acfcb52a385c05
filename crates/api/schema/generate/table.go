package main

import (
	"fmt"
	"go/ast"
	"io"
	"log"
	"path"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// special are the types with a JSON form of their own.
var special = map[string]string{
	"k8s.io/apimachinery/pkg/api/resource.Quantity": "quantity",
	meta + ".Time":      "time",
	meta + ".MicroTime": "microtime",
	meta + ".Duration":  "duration",
	meta + ".FieldsV1":  "fields",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":                                          "raw",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":                                       "intorstring",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":                         "json",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray":       "schemaorarray",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool":        "schemaorbool",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "schemaorstrings",
}

// table collects the messages that the kinds reach.
type table struct {
	sources  *sources
	messages map[string]string
	paths    map[string]string
	enums    map[string][]string
}

func newTable(sources *sources) *table {
	return &table{sources: sources, messages: map[string]string{}, paths: map[string]string{}, enums: map[string][]string{}}
}

// id is a package's short name in the table; its last element is the Go package name.
func id(importPath string) string {
	for _, prefix := range []string{"k8s.io/api/", "k8s.io/apimachinery/pkg/apis/", "k8s.io/apiextensions-apiserver/pkg/apis/", "k8s.io/kube-aggregator/pkg/apis/", "k8s.io/metrics/pkg/apis/"} {
		if rest, ok := strings.CutPrefix(importPath, prefix); ok {
			return rest
		}
	}
	return path.Base(importPath)
}

// message puts a struct into the table and gives its name there.
func (t *table) message(pkg *goPackage, name string) string {
	full := id(pkg.path) + "." + name
	if _, known := t.messages[full]; known {
		return full
	}
	t.messages[full] = ""
	t.paths[id(pkg.path)] = pkg.path
	declared := pkg.types[name]
	if declared == nil {
		log.Fatalf("%s: no type %s", pkg.path, name)
	}
	var lines []string
	if alias, ok := declared.spec.Type.(*ast.SelectorExpr); ok {
		lines = append(lines, "= "+t.typeOf(pkg, declared, alias))
	} else {
		for _, field := range declared.spec.Type.(*ast.StructType).Fields.List {
			if line := t.field(pkg, declared, field); line != "" {
				lines = append(lines, line)
			}
		}
	}
	head := "message " + name
	for _, kind := range marker(declared.doc, "structType") {
		head += " " + kind
	}
	t.messages[full] = strings.Join(append([]string{head}, lines...), "\n")
	return full
}

func (t *table) field(pkg *goPackage, in *goType, field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	raw, _ := strconv.Unquote(field.Tag.Value)
	tag := reflect.StructTag(raw)
	name, options, _ := strings.Cut(tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	doc := comments(field.Doc)
	number := "0"
	if parts := strings.Split(tag.Get("protobuf"), ","); len(parts) > 1 {
		number = parts[1]
	}
	var flags string
	switch {
	case name == "" && len(field.Names) == 0:
		flags, name = "i", "-"
	default:
		flags = fieldFlags(doc, options)
	}
	line := fmt.Sprintf("%s %s %s %s", number, name, t.typeOf(pkg, in, field.Type), orDash(flags))
	return line + t.extras(pkg, doc, tag)
}

func fieldFlags(doc, options string) string {
	flags := ""
	omitempty := strings.Contains(options, "omitempty")
	if omitempty {
		flags += "o"
	}
	if strings.Contains(options, "omitzero") {
		flags += "z"
	}
	optional := omitempty || len(marker(doc, "optional")) > 0
	if len(marker(doc, "required")) > 0 || !optional {
		flags += "r"
	}
	return flags
}

func (t *table) extras(pkg *goPackage, doc string, tag reflect.StructTag) string {
	var out string
	add := func(key, value string) {
		if value != "" {
			out += " " + key + "=" + value
		}
	}
	add("p", tag.Get("patchStrategy"))
	add("k", tag.Get("patchMergeKey"))
	add("l", strings.Join(marker(doc, "listType"), ""))
	add("lk", strings.Join(marker(doc, "listMapKey"), ","))
	add("m", strings.Join(marker(doc, "mapType"), ""))
	add("s", strings.Join(marker(doc, "structType"), ""))
	if values := marker(doc, "default"); len(values) > 0 {
		add("d", pkg.resolve(values[0]))
	}
	return out
}

// resolve turns `ref(Constant)` into its literal.
func (p *goPackage) resolve(value string) string {
	name, ok := strings.CutPrefix(value, "ref(")
	if !ok {
		return value
	}
	constant := p.constants[strings.TrimSuffix(name, ")")]
	if constant == nil {
		log.Fatalf("%s: default %s is no constant", p.path, value)
	}
	return constant.literal
}

// typeOf writes a type: `*` pointer, `[]` list, `{K}` map, `<…>` a list that is a message in protobuf.
func (t *table) typeOf(pkg *goPackage, in *goType, expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return "*" + t.typeOf(pkg, in, expr.X)
	case *ast.ArrayType:
		if ident, ok := expr.Elt.(*ast.Ident); ok && ident.Name == "byte" {
			return "bytes"
		}
		return "[]" + t.typeOf(pkg, in, expr.Elt)
	case *ast.MapType:
		return "{" + t.typeOf(pkg, in, expr.Key) + "}" + t.typeOf(pkg, in, expr.Value)
	case *ast.InterfaceType:
		return "any"
	case *ast.SelectorExpr:
		other := in.imports[expr.X.(*ast.Ident).Name]
		return t.named(t.sources.load(other), expr.Sel.Name)
	case *ast.Ident:
		switch expr.Name {
		case "string", "bool", "int32", "int64", "float64":
			return expr.Name
		case "any":
			return "any"
		}
		return t.named(pkg, expr.Name)
	}
	log.Fatalf("%s: type %T is not understood", pkg.path, expr)
	return ""
}

func (t *table) named(pkg *goPackage, name string) string {
	if kind, ok := special[pkg.path+"."+name]; ok {
		return kind
	}
	declared := pkg.types[name]
	if declared == nil {
		log.Fatalf("%s: no type %s", pkg.path, name)
	}
	if _, ok := declared.spec.Type.(*ast.StructType); ok {
		return t.message(pkg, name)
	}
	under := t.typeOf(pkg, declared, declared.spec.Type)
	switch {
	case declared.spec.Assign.IsValid():
		return under
	case strings.HasPrefix(under, "[]") && len(marker(declared.doc, "protobuf.nullable")) > 0:
		return "<" + under + ">"
	case under == "string" || under == "int32" || under == "int64" || under == "bool":
		full := id(pkg.path) + "." + name
		if len(marker(declared.doc, "enum")) > 0 {
			t.enums[full] = pkg.valuesOf(name)
		}
		return under + "=" + full
	}
	return under
}

func (p *goPackage) valuesOf(typeName string) []string {
	var values []string
	for _, constant := range p.constants {
		if text, err := strconv.Unquote(constant.literal); err == nil && constant.typeName == typeName {
			values = append(values, strconv.Quote(text))
		}
	}
	sort.Strings(values)
	return values
}

func (t *table) write(out io.Writer) {
	packages := map[string][]string{}
	for full := range t.messages {
		pkg, name, _ := strings.Cut(full, ".")
		packages[pkg] = append(packages[pkg], name)
	}
	for _, pkg := range sorted(packages) {
		fmt.Fprintf(out, "package %s %s\n", pkg, t.paths[pkg])
		sort.Strings(packages[pkg])
		for _, name := range packages[pkg] {
			fmt.Fprintln(out, t.messages[pkg+"."+name])
		}
	}
	for _, name := range sorted(t.enums) {
		fmt.Fprintf(out, "enum %s %s\n", name, strings.Join(t.enums[name], " "))
	}
}

func sorted[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
