package main

import (
	"fmt"
	"path"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	controllerKey = 1000
	firstDiskKey  = 2000
	gib           = int64(1) << 30
)

// diskSpec is a disk to be made; sizes in bytes.
type diskSpec struct {
	Capacity  int64
	Used      *int64 // by default half of it
	Thick     bool
	Mode      string // by default persistent
	Datastore string // by default that of the machine
	RDM       string // compatibility mode of a raw device mapping
}

// machineSpec is a machine to be made.
type machineSpec struct {
	Name, Host, Datastore, Folder, Power string
	Template                             bool
	Disks                                []diskSpec
}

// make puts a machine into the inventory.
func (spec machineSpec) make() (*machine, error) {
	at, err := placeFor(spec)
	if err != nil {
		return nil, err
	}
	home := fmt.Sprintf("[%s] %s", at.store.Name, spec.Name)
	m := &machine{}
	m.Self = reference("VirtualMachine", "")
	m.Self.Value = nextID("vm")
	m.Name, m.Parent = spec.Name, &at.folder.Self
	m.Config = configured(spec, home)
	m.Layout, m.LayoutEx = &types.VirtualMachineFileLayout{}, &layout{Timestamp: now()}
	m.runOn(at, spec)
	m.fill(spec, home)
	at.add(m)
	names.put(m)
	return m, nil
}

// configured is what a machine of that name has, whenever it is made.
func configured(spec machineSpec, home string) *types.VirtualMachineConfigInfo {
	return &types.VirtualMachineConfigInfo{
		ChangeVersion: "1", Modified: now(), Name: spec.Name, Version: "vmx-13",
		GuestFullName: "Other (32-bit)", GuestId: "otherGuest", Template: spec.Template,
		Uuid:                  uuid.NewSHA1(uuid.NameSpaceOID, []byte(home)).String(),
		InstanceUuid:          uuid.NewSHA1(uuid.NameSpaceURL, []byte(home)).String(),
		ChangeTrackingEnabled: types.NewBool(false),
		Files: types.VirtualMachineFileInfo{
			VmPathName: path.Join(home, spec.Name+".vmx"), SnapshotDirectory: home,
			SuspendDirectory: home, LogDirectory: home,
		},
		Hardware: types.VirtualHardware{
			NumCPU: 1, MemoryMB: 1024, Device: append([]types.BaseVirtualDevice(nil), fixed...),
		},
	}
}

// fixed are the devices that every machine has, besides its disks.
var fixed = append(append([]types.BaseVirtualDevice(nil), esx.VirtualDevice...),
	&types.ParaVirtualSCSIController{VirtualSCSIController: types.VirtualSCSIController{
		SharedBus: types.VirtualSCSISharingNoSharing,
		VirtualController: types.VirtualController{VirtualDevice: types.VirtualDevice{
			Key: controllerKey, DeviceInfo: &types.Description{
				Label: "SCSI controller 0", Summary: "VMware paravirtual SCSI",
			},
		}},
	}}, network())

func network() types.BaseVirtualDevice {
	card := esx.EthernetCard
	card.Key = 4000
	return &card
}

func (m *machine) runOn(at place, spec machineSpec) {
	m.Runtime.Host = &at.host.Self
	m.Runtime.ConnectionState = types.VirtualMachineConnectionStateConnected
	m.Runtime.PowerState = types.VirtualMachinePowerStatePoweredOn
	if spec.Template {
		m.Runtime.PowerState = types.VirtualMachinePowerStatePoweredOff
	}
	if spec.Power != "" {
		m.Runtime.PowerState = types.VirtualMachinePowerState(spec.Power)
	}
	m.Runtime.ConsolidationNeeded = types.NewBool(false)
	m.Runtime.FaultToleranceState = types.VirtualMachineFaultToleranceStateNotConfigured
	m.Datastore = []types.ManagedObjectReference{at.store.Self}
	m.Summary = types.VirtualMachineSummary{
		Vm: &m.Self, Runtime: m.Runtime, OverallStatus: types.ManagedEntityStatusGreen,
		Config: types.VirtualMachineConfigSummary{Name: spec.Name, Template: spec.Template},
	}
	if !spec.Template {
		m.ResourcePool = at.pool
	}
}

// fill gives the machine its files and disks.
func (m *machine) fill(spec machineSpec, home string) {
	l := m.LayoutEx
	m.addFile(l, path.Join(home, spec.Name+".vmx"), "config", 2048)
	m.addFile(l, path.Join(home, spec.Name+".nvram"), "nvram", 8684)
	m.addFile(l, path.Join(home, spec.Name+".vmsd"), "snapshotList", 0)
	m.addFile(l, path.Join(home, "vmware.log"), "log", 200000)
	if len(spec.Disks) == 0 {
		spec.Disks = []diskSpec{{Capacity: 40 * gib}}
	}
	for number, disk := range spec.Disks {
		m.addDisk(l, number, disk, home)
	}
	m.LayoutEx = &layout{}
	m.put(l)
}

func (m *machine) addDisk(l *layout, number int, spec diskSpec, home string) {
	stem := path.Join(home, m.Name)
	if spec.Datastore != "" {
		stem = fmt.Sprintf("[%s] %s", spec.Datastore, path.Join(m.Name, m.Name))
		m.useStore(spec.Datastore)
	}
	if number > 0 {
		stem += fmt.Sprintf("_%d", number)
	}
	keys := []int32{
		m.addFile(l, stem+".vmdk", "diskDescriptor", 0),
		m.addFile(l, stem+spec.suffix(), "diskExtent", spec.used()),
	}
	disk := spec.device(number, stem+".vmdk")
	m.Config.Hardware.Device = append(m.Config.Hardware.Device, disk)
	l.Disk = append(l.Disk, chain{Key: disk.Key, Chain: []unit{{FileKey: keys}}})
}

func (spec diskSpec) suffix() string {
	switch spec.RDM {
	case "physicalMode":
		return "-rdmp.vmdk"
	case "virtualMode":
		return "-rdm.vmdk"
	}
	return "-flat.vmdk"
}

func (spec diskSpec) used() int64 {
	if spec.Thick {
		return spec.Capacity
	}
	if spec.Used != nil {
		return *spec.Used
	}
	return spec.Capacity / 2
}

func (spec diskSpec) device(number int, file string) *types.VirtualDisk {
	unitNumber := int32(number)
	disk := &types.VirtualDisk{CapacityInBytes: spec.Capacity, CapacityInKB: spec.Capacity / 1024}
	disk.Key, disk.ControllerKey = firstDiskKey+unitNumber, controllerKey
	disk.UnitNumber = &unitNumber
	disk.DeviceInfo = &types.Description{
		Label: fmt.Sprintf("Hard disk %d", number+1), Summary: "a disk of the test",
	}
	mode := spec.Mode
	if mode == "" {
		mode = "persistent"
	}
	backing := types.VirtualDeviceFileBackingInfo{FileName: file}
	if spec.RDM != "" {
		disk.Backing = &types.VirtualDiskRawDiskMappingVer1BackingInfo{
			VirtualDeviceFileBackingInfo: backing, CompatibilityMode: spec.RDM, DiskMode: mode,
		}
		return disk
	}
	disk.Backing = &types.VirtualDiskFlatVer2BackingInfo{
		VirtualDeviceFileBackingInfo: backing, DiskMode: mode,
		ThinProvisioned: types.NewBool(!spec.Thick),
	}
	return disk
}
