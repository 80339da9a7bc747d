package main

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/mo"
)

// orderSet sets a property of any object by its path, to a JSON value of the property's form.
func orderSet(line []byte) (interface{}, error) {
	var o struct {
		Object, Path string
		Value        json.RawMessage
	}
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	object, err := find(o.Object)
	if err != nil {
		return nil, err
	}
	locked(object, func() { err = set(object, strings.Split(o.Path, "."), o.Value) })
	return nil, err
}

// set replaces whatever is on the way to the property, as somebody may be reading it.
func set(object mo.Reference, words []string, value json.RawMessage) error {
	at := reflect.ValueOf(object).Elem()
	for _, word := range words {
		if at.Kind() == reflect.Ptr {
			fresh := reflect.New(at.Type().Elem())
			if !at.IsNil() {
				fresh.Elem().Set(at.Elem())
			}
			at.Set(fresh)
			at = fresh.Elem()
		}
		at = at.FieldByName(strings.ToUpper(word[:1]) + word[1:])
		if !at.IsValid() {
			return fmt.Errorf("no property %q", strings.Join(words, "."))
		}
	}
	fresh := reflect.New(at.Type())
	if err := json.Unmarshal(value, fresh.Interface()); err != nil {
		return err
	}
	at.Set(fresh.Elem())
	return nil
}

// orderLook tells how a machine stands, without any permission and past all faults.
func orderLook(line []byte) (interface{}, error) {
	return onMachine(line, &struct{}{}, func(m *machine) (interface{}, error) {
		seen := look{
			Consolidation: *m.Runtime.ConsolidationNeeded, Chains: map[string][][]interface{}{},
			Snapshots: []lookSnapshot{},
		}
		for _, one := range m.nodes() {
			parent := ""
			if above := m.parentOf(one.Snapshot); above != nil {
				parent = above.Value
			}
			seen.Snapshots = append(seen.Snapshots, lookSnapshot{
				one.Snapshot.Value, one.Name, parent, one.CreateTime, one.Id,
			})
		}
		if m.Snapshot != nil && m.Snapshot.CurrentSnapshot != nil {
			seen.Current = m.Snapshot.CurrentSnapshot.Value
		}
		for _, disk := range m.LayoutEx.Disk {
			key := fmt.Sprint(disk.Key)
			for _, one := range disk.Chain {
				name := path.Base(fileOf(m.LayoutEx, id(one)).Name)
				size := extent(m.LayoutEx, one).Size
				seen.Chains[key] = append(seen.Chains[key], []interface{}{name, size})
			}
		}
		return seen, nil
	})
}

type look struct {
	Snapshots     []lookSnapshot             `json:"snapshots"`
	Current       string                     `json:"current"`
	Chains        map[string][][]interface{} `json:"chains"`
	Consolidation bool                       `json:"consolidation_needed"`
}

type lookSnapshot struct {
	Moid    string    `json:"moid"`
	Name    string    `json:"name"`
	Parent  string    `json:"parent"`
	Created time.Time `json:"created"`
	ID      int32     `json:"id"`
}
