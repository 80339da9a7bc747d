package main

import (
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// rightsBook is what the account may not do, and what it does not see.
type rightsBook struct {
	sync.Mutex
	lacking map[string]map[string]bool // privilege to objects; "" is every object
	hidden  map[string]bool            // objects
	denied  map[string]map[string]bool // object to paths; "*" is every path
	unknown map[string]bool            // paths that this release does not know
}

var rights = &rightsBook{
	lacking: map[string]map[string]bool{}, hidden: map[string]bool{},
	denied: map[string]map[string]bool{}, unknown: map[string]bool{},
}

func (r *rightsBook) lacks(object types.ManagedObjectReference, privilege string) bool {
	r.Lock()
	defer r.Unlock()
	objects := r.lacking[privilege]
	return objects[""] || objects[object.Value]
}

func (r *rightsBook) lack(privilege, object string) {
	r.Lock()
	defer r.Unlock()
	if r.lacking[privilege] == nil {
		r.lacking[privilege] = map[string]bool{}
	}
	r.lacking[privilege][object] = true
}

func (r *rightsBook) hide(object string) {
	r.Lock()
	defer r.Unlock()
	r.hidden[object] = true
}

func (r *rightsBook) deny(object, path string) {
	r.Lock()
	defer r.Unlock()
	if r.denied[object] == nil {
		r.denied[object] = map[string]bool{}
	}
	r.denied[object][path] = true
}

func (r *rightsBook) notKnow(path string) {
	r.Lock()
	defer r.Unlock()
	r.unknown[path] = true
}

func (r *rightsBook) clear() {
	r.Lock()
	defer r.Unlock()
	r.lacking, r.hidden = map[string]map[string]bool{}, map[string]bool{}
	r.denied, r.unknown = map[string]map[string]bool{}, map[string]bool{}
}

// filtered is what of an answer the account gets to see.
func (r *rightsBook) filtered(
	objects []types.ObjectContent, req *types.RetrievePropertiesEx,
) []types.ObjectContent {
	r.Lock()
	defer r.Unlock()
	if len(r.hidden)+len(r.denied) == 0 {
		return objects
	}
	var seen []types.ObjectContent
	for _, one := range objects {
		if !r.hidden[one.Obj.Value] {
			seen = append(seen, withheld(one, r.denied[one.Obj.Value], asked(req, one.Obj.Type)))
		}
	}
	return seen
}

// withheld is an object without the paths that are denied; unset ones are denied like the others.
func withheld(object types.ObjectContent, denied map[string]bool, asked []string) types.ObjectContent {
	if len(denied) == 0 {
		return object
	}
	told := types.ObjectContent{Obj: object.Obj, MissingSet: object.MissingSet}
	for _, one := range object.PropSet {
		if !denied["*"] && !denied[one.Name] {
			told.PropSet = append(told.PropSet, one)
		}
	}
	for _, path := range asked {
		if denied["*"] || denied[path] {
			fault := &types.NoPermission{Object: object.Obj, PrivilegeId: "System.Read"}
			told.MissingSet = append(told.MissingSet, types.MissingProperty{
				Path: path, Fault: types.LocalizedMethodFault{Fault: fault},
			})
		}
	}
	return told
}

// asked are the paths that were asked for of a kind of objects.
func asked(req *types.RetrievePropertiesEx, kind string) []string {
	var paths []string
	for _, spec := range req.SpecSet {
		for _, set := range spec.PropSet {
			if set.Type == kind {
				paths = append(paths, set.PathSet...)
			}
		}
	}
	return paths
}

// unknownIn is the first of the asked paths that this release does not know.
func (r *rightsBook) unknownIn(req *types.RetrievePropertiesEx) string {
	r.Lock()
	defer r.Unlock()
	for _, spec := range req.SpecSet {
		for _, set := range spec.PropSet {
			for _, path := range set.PathSet {
				if r.unknown[path] {
					return path
				}
			}
		}
	}
	return ""
}

// authorization answers which privileges the account holds.
type authorization struct {
	simulator.AuthorizationManager
}

func adoptAuthorization() {
	for _, ref := range []string{"AuthorizationManager", "ha-authmgr"} {
		old, ok := simulator.Map.Get(reference("AuthorizationManager", ref)).(*simulator.AuthorizationManager)
		if ok {
			simulator.Map.Put(&authorization{*old})
		}
	}
}

// HasPrivilegeOnEntities grants what the test has not taken away.
func (a *authorization) HasPrivilegeOnEntities(req *types.HasPrivilegeOnEntities) soap.HasFault {
	answer := &types.HasPrivilegeOnEntitiesResponse{}
	for _, entity := range req.Entity {
		one := types.EntityPrivilege{Entity: entity}
		for _, id := range req.PrivId {
			one.PrivAvailability = append(one.PrivAvailability, types.PrivilegeAvailability{
				PrivId: id, IsGranted: !rights.lacks(entity, id),
			})
		}
		answer.Returnval = append(answer.Returnval, one)
	}
	return &methods.HasPrivilegeOnEntitiesBody{Res: answer}
}
