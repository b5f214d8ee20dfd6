package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	// roomDetail is the driver's own, in a refusal (csi-driver/service/room.go).
	roomDetail = "roomBytes"
	// roomBytes on a claim tells how many bytes its volume could have at most, while that is less than it asks for. It is
	// for whoever makes a sentence of it in the words of the one who asked.
	roomBytes = "kubepanel.io/room-bytes"
)

// provisioner is all that external-provisioner's is to its controller.
type provisioner interface {
	controller.BlockProvisioner
	controller.Qualifier
}

// telling tells on a claim that there is no room for its volume, besides the event that the controller writes.
type telling struct {
	provisioner
	*site
}

func (s *site) telling(all controller.Provisioner) (*telling, error) {
	whole, ok := all.(provisioner)
	if !ok {
		return nil, fmt.Errorf("wire external-provisioner: %T is no longer what its controller looks for", all)
	}
	return &telling{whole, s}, nil
}

// Provision makes a volume. What can't be told does no harm: it is told at the next try.
func (t *telling) Provision(ctx context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	volume, state, err := t.provisioner.Provision(ctx, o)
	room, none := roomIn(err)
	if told := o.PVC.Annotations[roomBytes]; (none && freshRoom(o.PVC, room)) || (err == nil && told != "") {
		var value *string
		if none {
			text := strconv.FormatInt(room, 10)
			value = &text
		}
		if failed := t.annotate(ctx, o.PVC, roomBytes, value); failed != nil {
			klog.ErrorS(failed, "tell that there is no room")
		}
	}
	if none {
		err = errors.New(status.Convert(err).Message()) // for people: without the name of its code
	}
	return volume, state, err
}

// roomIn reads how many bytes a volume may have at most of the driver's refusal of a larger one.
func roomIn(err error) (bytes int64, none bool) {
	if err == nil {
		return 0, false
	}
	for _, detail := range status.Convert(err).Details() {
		fields, ok := detail.(*structpb.Struct)
		if value, has := fields.GetFields()[roomDetail]; ok && has {
			return int64(value.GetNumberValue()), true
		}
	}
	return 0, false
}

// freshRoom says whether it is worth a request that so many bytes can be had: each wakes who looks after the claim, and
// us.
func freshRoom(claim *corev1.PersistentVolumeClaim, room int64) bool {
	told, err := strconv.ParseInt(claim.Annotations[roomBytes], 10, 64)
	asked := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	return err != nil || away(told, room, asked.Value())
}
