package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

// saved are the kinds of objects that make an estate; others are made anew by whoever loads it.
var saved = []string{
	"Folder", "Datacenter", "ComputeResource", "ClusterComputeResource", "ResourcePool",
	"HostSystem", "Datastore", "VirtualMachine",
}

// orderSave writes each object into a file of its own, as `-load` and govc's object.save have it.
func orderSave(line []byte) (interface{}, error) {
	var o struct{ Path string }
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	for order, kind := range saved {
		for _, entity := range simulator.Map.All(kind) {
			name := fmt.Sprintf("%02d-%s.xml", order, plain(entity.Reference()))
			if err := save(entity.Reference(), filepath.Join(o.Path, name)); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

func plain(ref types.ManagedObjectReference) string {
	return strings.NewReplacer("/", "-", ":", "-").Replace(ref.Type + "-" + ref.Value)
}

func save(ref types.ManagedObjectReference, file string) error {
	req := &types.RetrievePropertiesEx{SpecSet: []types.PropertyFilterSpec{{
		PropSet:   []types.PropertySpec{{Type: ref.Type, All: types.NewBool(true)}},
		ObjectSet: []types.ObjectSpec{{Obj: ref}},
	}}}
	reader := &simulator.PropertyCollector{}
	answer, ok := reader.RetrievePropertiesEx(inside(), req).(*methods.RetrievePropertiesExBody)
	if !ok || answer.Res == nil || len(answer.Res.Returnval.Objects) != 1 {
		return fmt.Errorf("%s cannot be read", ref)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	return xml.NewEncoder(out).Encode(answer.Res.Returnval.Objects[0])
}
