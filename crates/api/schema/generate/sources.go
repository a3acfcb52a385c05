package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os/exec"
	"path"
	"sort"
	"strconv"
	"strings"
)

// goPackage is what the table needs to know of a parsed package.
type goPackage struct {
	path, name, group string
	types             map[string]*goType
	constants         map[string]*goConstant
	kinds             []string
}

// goType is a type declaration with the imports of its file.
type goType struct {
	spec    *ast.TypeSpec
	doc     string
	comment []string
	imports map[string]string
}

// goConstant is a constant whose value is a literal.
type goConstant struct {
	typeName, literal, doc string
}

// sources loads packages once each.
type sources struct {
	packages map[string]*goPackage
	modules  map[string]module
}

type module struct{ Path, Version, Dir string }

var modules = map[string]module{}

func newSources() *sources {
	out, err := exec.Command("go", "mod", "download", "-json").Output()
	if err != nil {
		log.Fatalf("go mod download: %v", err)
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var m module
		if err := decoder.Decode(&m); err != nil {
			log.Fatal(err)
		}
		modules[m.Path] = m
	}
	return &sources{packages: map[string]*goPackage{}, modules: modules}
}

func version(module string) string { return module + " " + modules[module].Version }

func (s *sources) load(importPath string) *goPackage {
	if pkg := s.packages[importPath]; pkg != nil {
		return pkg
	}
	pkg := &goPackage{path: importPath, name: path.Base(importPath), types: map[string]*goType{}, constants: map[string]*goConstant{}}
	s.packages[importPath] = pkg
	for modulePath, m := range s.modules {
		if rest, ok := strings.CutPrefix(importPath, modulePath+"/"); ok {
			pkg.parse(m.Dir + "/" + rest)
		}
	}
	sort.Strings(pkg.kinds)
	return pkg
}

func (p *goPackage) parse(dir string) {
	files := token.NewFileSet()
	parsed, err := parser.ParseDir(files, dir, func(info fs.FileInfo) bool {
		name := info.Name()
		return !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "zz_") && !strings.HasPrefix(name, "generated")
	}, parser.ParseComments)
	if err != nil {
		log.Fatal(err)
	}
	for _, pkg := range parsed {
		for _, file := range pkg.Files {
			p.file(file)
		}
	}
}

func (p *goPackage) file(file *ast.File) {
	imports := map[string]string{}
	for _, spec := range file.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(target)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = target
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GenDecl:
			p.declaration(node, imports)
		case *ast.CallExpr:
			p.registration(node)
		}
		return true
	})
}

func (p *goPackage) declaration(decl *ast.GenDecl, imports map[string]string) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			comment := strings.Split(decl.Doc.Text()+spec.Doc.Text(), "\n")
			p.types[spec.Name.Name] = &goType{spec: spec, doc: comments(decl.Doc, spec.Doc), comment: comment, imports: imports}
		case *ast.ValueSpec:
			doc := spec.Doc
			if len(decl.Specs) == 1 && doc == nil {
				doc = decl.Doc
			}
			p.value(decl.Tok, spec, doc.Text())
		}
	}
}

func (p *goPackage) value(tok token.Token, spec *ast.ValueSpec, doc string) {
	if tok != token.CONST {
		return
	}
	typeName := ""
	if ident, ok := spec.Type.(*ast.Ident); ok {
		typeName = ident.Name
	}
	for i, name := range spec.Names {
		if i >= len(spec.Values) {
			continue
		}
		if literal, ok := spec.Values[i].(*ast.BasicLit); ok {
			p.constants[name.Name] = &goConstant{typeName: typeName, literal: literal.Value, doc: doc}
			if name.Name == "GroupName" {
				p.group, _ = strconv.Unquote(literal.Value)
			}
		}
	}
}

// registration takes the kinds of `scheme.AddKnownTypes(SchemeGroupVersion, &Pod{}, …)`.
func (p *goPackage) registration(call *ast.CallExpr) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "AddKnownTypes" {
		return
	}
	for _, argument := range call.Args {
		unary, ok := argument.(*ast.UnaryExpr)
		if !ok {
			continue
		}
		literal, ok := unary.X.(*ast.CompositeLit)
		if !ok {
			continue
		}
		if ident, ok := literal.Type.(*ast.Ident); ok {
			p.kinds = append(p.kinds, ident.Name)
		}
	}
}

func comments(groups ...*ast.CommentGroup) string {
	var lines []string
	for _, group := range groups {
		if group == nil {
			continue
		}
		for _, comment := range group.List {
			lines = append(lines, strings.TrimSpace(strings.TrimPrefix(comment.Text, "//")))
		}
	}
	return strings.Join(lines, "\n")
}

// marker gives the values of `+name=value` lines.
func marker(doc, name string) []string {
	var values []string
	for _, line := range strings.Split(doc, "\n") {
		if value, ok := strings.CutPrefix(line, "+"+name+"="); ok {
			values = append(values, strings.TrimSpace(value))
		} else if line == "+"+name {
			values = append(values, "")
		}
	}
	return values
}
