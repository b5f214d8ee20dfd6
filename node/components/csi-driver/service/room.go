package service

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
)

// RoomDetail is the field of a refusal's detail that tells how many bytes a volume may have at most, for whoever makes a
// sentence of it.
//
// There is no GetCapacity: external-provisioner, where each node serves its own claims, asks it first and leaves a claim
// alone without a word when the answer is too little. Without it the driver is asked for the volume, and says why not.
const RoomDetail = "roomBytes"

func tooLarge(err *pool.TooLarge) error {
	refused := status.New(codes.OutOfRange, err.Error())
	// A number there is exact up to 8 PiB.
	detail := &structpb.Struct{Fields: map[string]*structpb.Value{RoomDetail: structpb.NewNumberValue(float64(err.Most))}}
	if told, err := refused.WithDetails(detail); err == nil {
		refused = told
	}
	return refused.Err()
}
