package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: Group, Version: "v1alpha1"}

// AddToScheme registers the kinds of this package.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&Domain{}, &DomainList{},
		&Backup{}, &BackupList{},
		&DatabaseAccess{}, &DatabaseAccessList{},
		&Restore{}, &RestoreList{},
		&DNSZone{}, &DNSZoneList{},
		&GlobalWAF{}, &GlobalWAFList{},
		&DomainWAF{}, &DomainWAFList{},
		&GlobalL3Firewall{}, &GlobalL3FirewallList{},
		&SMTPFirewall{}, &SMTPFirewallList{},
		&License{}, &LicenseList{},
		&NodeMaintenance{}, &NodeMaintenanceList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
