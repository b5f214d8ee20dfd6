package main

import (
	"errors"
	"testing"

	provision "github.com/kubernetes-csi/external-provisioner/v6/pkg/controller"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func TestRoomIsReadOfTheDriversRefusalAlone(t *testing.T) {
	refusal := func(field string) error {
		s, err := status.New(codes.OutOfRange, "too large").WithDetails(&structpb.Struct{
			Fields: map[string]*structpb.Value{field: structpb.NewNumberValue(5 << 30)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s.Err()
	}
	tests := map[string]struct {
		err  error
		want int64
		none bool
	}{
		"made":            {nil, 0, false},
		"no room":         {refusal(roomDetail), 5 << 30, true},
		"another detail":  {refusal("other"), 0, false},
		"without details": {status.Error(codes.OutOfRange, "a range that is none"), 0, false},
		"no answer":       {errors.New("not asked"), 0, false},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			if got, none := roomIn(test.err); got != test.want || none != test.none {
				t.Errorf("roomIn(%v) = %d, %t, want %d, %t", test.err, got, none, test.want, test.none)
			}
		})
	}
}

// A disk that is written to has another number at each look.
func TestRoomIsToldInSteps(t *testing.T) {
	const mebibyte = 1 << 20
	tests := map[string]struct {
		told string
		room int64
		want bool
	}{
		"never told":  {"", 0, true},
		"the same":    {"104857600", 100 * mebibyte, false},
		"a crumb":     {"104857600", 105 * mebibyte, false},
		"enough more": {"104857600", 106 * mebibyte, true},
		"enough less": {"104857600", 94 * mebibyte, true},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			claim := &corev1.PersistentVolumeClaim{}
			claim.Annotations = map[string]string{roomBytes: test.told}
			claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
			if got := freshRoom(claim, test.room); got != test.want {
				t.Errorf("freshRoom(told %q, room %d) = %t, want %t", test.told, test.room, got, test.want)
			}
		})
	}
}

// Its controller asks for what a provisioner can by looking at its methods: one that is wrapped and lacks some would
// silently be asked for less.
func TestExternalProvisionerIsWrappedWhole(t *testing.T) {
	client, err := kubernetes.NewForConfig(&rest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	whole := provision.NewCSIProvisioner(client, 0, "", "", 0, nil, nil, "", nil, nil, "", false, false, nil, nil, nil, nil, nil, nil, nil, false, "", nil, false, false, nil)
	if _, err := (&site{}).telling(whole); err != nil {
		t.Error(err)
	}
	if _, guards := whole.(controller.DeletionGuard); guards {
		t.Error("external-provisioner guards deletions now: it has to be wrapped with that too")
	}
}
