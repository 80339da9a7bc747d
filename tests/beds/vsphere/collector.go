package main

import (
	"fmt"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// collector is a property collector that sends pages, knows permissions and wants a session. The
// library makes one for each session, of the type that is registered.
type collector struct {
	simulator.PropertyCollector
}

func adoptCollector() {
	for _, id := range []string{"propertyCollector", "ha-property-collector"} {
		ref := reference("PropertyCollector", id)
		if simulator.Map.Get(ref) != nil {
			own := &collector{}
			own.Self = ref
			simulator.Map.Put(own)
		}
	}
}

// RetrievePropertiesEx answers with a page and, while there are more, with the token of the next.
func (c *collector) RetrievePropertiesEx(
	ctx *simulator.Context, req *types.RetrievePropertiesEx,
) soap.HasFault {
	if fault := refusedReading(ctx, req); fault != nil {
		return &methods.RetrievePropertiesExBody{Fault_: simulator.Fault(words(fault), fault)}
	}
	answer := c.PropertyCollector.RetrievePropertiesEx(ctx, req)
	body, ok := answer.(*methods.RetrievePropertiesExBody)
	if !ok || body.Res == nil || body.Res.Returnval == nil {
		return answer
	}
	objects := rights.filtered(body.Res.Returnval.Objects, req)
	body.Res.Returnval = pages.first(objects, req.Options.MaxObjects)
	return body
}

// refusedReading are the reasons for which nothing is read at all.
func refusedReading(
	ctx *simulator.Context, req *types.RetrievePropertiesEx,
) types.BaseMethodFault {
	const method = "RetrievePropertiesEx"
	object := firstOf(req)
	if ctx.Session == nil && object.Type != "ServiceInstance" {
		return &types.NotAuthenticated{
			NoPermission: types.NoPermission{Object: object, PrivilegeId: "System.View"},
		}
	}
	if path := rights.unknownIn(req); path != "" {
		return &types.InvalidProperty{Name: path}
	}
	if trouble := troubles.next(method, object.Value, "call"); trouble != nil {
		return trouble.fault(&machine{})
	}
	return nil
}

func firstOf(req *types.RetrievePropertiesEx) types.ManagedObjectReference {
	for _, spec := range req.SpecSet {
		for _, object := range spec.ObjectSet {
			return object.Obj
		}
	}
	return types.ManagedObjectReference{}
}

// ContinueRetrievePropertiesEx answers with the next page; a token is good for one.
func (c *collector) ContinueRetrievePropertiesEx(
	req *types.ContinueRetrievePropertiesEx,
) soap.HasFault {
	body := &methods.ContinueRetrievePropertiesExBody{}
	page := pages.next(req.Token)
	if page == nil {
		body.Fault_ = simulator.Fault("", &types.InvalidArgument{InvalidProperty: "token"})
		return body
	}
	body.Res = &types.ContinueRetrievePropertiesExResponse{Returnval: *page}
	return body
}

// CancelRetrievePropertiesEx lets the pages go that nobody wants any more.
func (c *collector) CancelRetrievePropertiesEx(
	req *types.CancelRetrievePropertiesEx,
) soap.HasFault {
	pages.drop(req.Token)
	return &methods.CancelRetrievePropertiesExBody{Res: &types.CancelRetrievePropertiesExResponse{}}
}

// pageBook holds what is still to be sent.
type pageBook struct {
	sync.Mutex
	limit   int // the most objects in a page; 0: what was asked for
	ignores bool
	count   int
	left    map[string]rest
}

type rest struct {
	objects []types.ObjectContent
	size    int
}

var pages = &pageBook{left: map[string]rest{}}

func (p *pageBook) first(objects []types.ObjectContent, wish int32) *types.RetrieveResult {
	p.Lock()
	defer p.Unlock()
	size := int(wish)
	if p.ignores || size <= 0 {
		size = len(objects)
	}
	if p.limit > 0 && p.limit < size {
		size = p.limit
	}
	return p.page(rest{objects, size})
}

func (p *pageBook) page(all rest) *types.RetrieveResult {
	if len(all.objects) <= all.size {
		return &types.RetrieveResult{Objects: all.objects}
	}
	p.count++
	token := fmt.Sprintf("page-%d", p.count)
	p.left[token] = rest{all.objects[all.size:], all.size}
	return &types.RetrieveResult{Token: token, Objects: all.objects[:all.size]}
}

// next leaves out what has vanished meanwhile.
func (p *pageBook) next(token string) *types.RetrieveResult {
	p.Lock()
	defer p.Unlock()
	found, ok := p.left[token]
	if !ok {
		return nil
	}
	delete(p.left, token)
	var there []types.ObjectContent
	for _, one := range found.objects {
		if simulator.Map.Get(one.Obj) != nil {
			there = append(there, one)
		}
	}
	return p.page(rest{there, found.size})
}

func (p *pageBook) drop(token string) {
	p.Lock()
	defer p.Unlock()
	delete(p.left, token)
}
