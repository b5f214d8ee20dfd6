package kubepanel

import (
	"go/ast"
	"go/token"
	"strings"
)

// The limits sit just above what the trees that we learn from keep to in nine
// of ten cases. Past them, look for the missing noun.
const (
	maxFileLines  = 400
	maxFuncLines  = 60
	maxComplexity = 15
	maxParams     = 5
)

func checkShape(s *source) {
	if s.lines > maxFileLines {
		s.breaks(s.ast, "%d lines, limit %d", s.lines, maxFileLines)
	}
	for _, d := range s.ast.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if f.Recv == nil && f.Name.Name == "init" {
			s.breaks(f, "init runs behind the reader's back; call it from cmd")
		}
		if lines := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; lines > maxFuncLines {
			s.breaks(f, "%s has %d lines, limit %d", f.Name, lines, maxFuncLines)
		}
		if c := complexity(f); c > maxComplexity {
			s.breaks(f, "%s has complexity %d, limit %d", f.Name, c, maxComplexity)
		}
		if p := f.Type.Params.NumFields(); p > maxParams {
			s.breaks(f, "%s takes %d parameters, limit %d", f.Name, p, maxParams)
		}
	}
}

// complexity counts the ways through a function: one, plus one for each branch,
// loop, case and short-circuit operator.
func complexity(f *ast.FuncDecl) int {
	ways := 1
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			ways++
		case *ast.CaseClause:
			if n.List != nil {
				ways++
			}
		case *ast.CommClause:
			if n.Comm != nil {
				ways++
			}
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				ways++
			}
		}
		return true
	})
	return ways
}

// checkCalls looks for what our code never does.
func checkCalls(s *source) {
	for _, d := range s.ast.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		if s.test {
			checkSkip(s, f)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if !s.test && (n.Op == token.EQL || n.Op == token.NEQ) && (isErrorText(n.X) || isErrorText(n.Y)) {
					s.breaks(n, "decides by the text of an error")
				}
			case *ast.CallExpr:
				if !s.test {
					checkCall(s, f, n)
				}
			}
			return true
		})
	}
}

func checkCall(s *source, f *ast.FuncDecl, call *ast.CallExpr) {
	reconciles := under(s.dir, "internal/operator") && !strings.HasSuffix(s.dir, "test")
	pkg, name := called(call)
	switch {
	case pkg == "strings" && len(call.Args) > 0 && isErrorText(call.Args[0]):
		s.breaks(call, "decides by the text of an error")
	case reconciles && pkg == "time" && name == "Sleep":
		s.breaks(call, "a reconciler never sleeps; return Wait")
	case reconciles && pkg == "context" && (name == "Background" || name == "TODO") && takesContext(f):
		s.breaks(call, "%s uses the context that it was given", f.Name)
	case pkg == "exec" && strings.HasPrefix(name, "Command") && startsShell(call):
		s.breaks(call, "starts a shell; give the program its arguments instead")
	case pkg == "fmt" && name == "Errorf" && len(call.Args) > 0 && strings.HasPrefix(literal(call.Args[0]), "failed to"):
		s.breaks(call, "an error says what was being done; the chain says that it failed")
	}
}

// checkSkip refuses tests that are skipped forever. To skip under a condition
// that is named is another thing.
func checkSkip(s *source, f *ast.FuncDecl) {
	for _, statement := range f.Body.List {
		e, ok := statement.(*ast.ExprStmt)
		if !ok {
			continue
		}
		if call, ok := e.X.(*ast.CallExpr); ok {
			if _, name := called(call); strings.HasPrefix(name, "Skip") {
				s.breaks(call, "a test that is always skipped proves nothing; mend it or remove it")
			}
		}
	}
}

func takesContext(f *ast.FuncDecl) bool {
	for _, p := range f.Type.Params.List {
		if of, ok := p.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "Context" {
			return true
		}
	}
	return false
}

// called returns fmt and Errorf for fmt.Errorf(…).
func called(call *ast.CallExpr) (pkg, name string) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	if x, ok := f.X.(*ast.Ident); ok {
		pkg = x.Name
	}
	return pkg, f.Sel.Name
}

// isErrorText reports err.Error().
func isErrorText(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 0 {
		return false
	}
	_, name := called(call)
	return name == "Error"
}

func startsShell(call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		switch literal(arg) {
		case "sh", "bash", "/bin/sh", "/bin/bash":
			return true
		}
	}
	return false
}

// literal returns the text of a string literal.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	return strings.Trim(lit.Value, "\"`")
}
