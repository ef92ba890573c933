// What GitOps tools make of an object: Argo CD by a Lua script, Flux by kstatus.
//
// Reads JSON documents {"script": LUA, "object": OBJECT} and writes one for each:
// {"argocd": {"status", "message", "error"}, "flux": {"status", "message"}}.
//
// The script has what Argo CD gives it, and no more: the same interpreter, the libraries that it opens for a check from
// its ConfigMap (there is no `string` among them), the object as `obj`, and one second.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type question struct {
	Script string                    `json:"script"`
	Object unstructured.Unstructured `json:"object"`
}

type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Error   string `json:"error,omitempty"`
}

type answer struct {
	ArgoCD health `json:"argocd"`
	Flux   health `json:"flux"`
}

func main() {
	questions, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked question
		if err := questions.Decode(&asked); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := answers.Encode(answer{argocd(asked), flux(&asked.Object)}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func flux(object *unstructured.Unstructured) health {
	found, err := status.Compute(object)
	if err != nil {
		return health{Error: err.Error()}
	}
	return health{Status: found.Status.String(), Message: found.Message}
}

func argocd(asked question) health {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage,
		lua.BaseLibName: lua.OpenBase,
		lua.TabLibName:  lua.OpenTable,
	} {
		opened := lua.P{Fn: state.NewFunction(open), Protect: true}
		if err := state.CallByParam(opened, lua.LString(name)); err != nil {
			return health{Error: err.Error()}
		}
	}
	limit, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	state.SetContext(limit)
	state.SetGlobal("obj", value(state, asked.Object.Object))
	if err := state.DoString(asked.Script); err != nil {
		return health{Error: err.Error()}
	}
	table, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return health{Error: fmt.Sprintf("the script returned %s, not a table", state.Get(-1).Type())}
	}
	found := health{Status: lua.LVAsString(table.RawGetString("status")), Message: lua.LVAsString(table.RawGetString("message"))}
	switch found.Status {
	case "Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown":
		return found
	}
	return health{Error: fmt.Sprintf("%q is not a health status", found.Status)}
}

func value(state *lua.LState, from any) lua.LValue {
	switch known := from.(type) {
	case bool:
		return lua.LBool(known)
	case float64:
		return lua.LNumber(known)
	case int64:
		return lua.LNumber(known)
	case string:
		return lua.LString(known)
	case []any:
		table := state.CreateTable(len(known), 0)
		for _, each := range known {
			table.Append(value(state, each))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(known))
		for name, each := range known {
			table.RawSetString(name, value(state, each))
		}
		return table
	}
	return lua.LNil
}
