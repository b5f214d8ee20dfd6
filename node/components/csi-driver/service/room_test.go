package service

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool/pooltest"
)

// Whoever can't have a volume hears how large one may be, and nobody asks beforehand in order to keep silent.
func TestAVolumeWithoutRoomIsRefusedWithWhatCanBeHad(t *testing.T) {
	options := pooltest.Options(t, 512)
	s := &Service{Pool: pooltest.Open(t, options), Node: "one", Log: options.Log}
	socket := filepath.Join(t.TempDir(), "csi.sock")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, socket) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	driver := csi.NewControllerClient(conn)

	const tebibyte = 1 << 40
	_, err = driver.CreateVolume(t.Context(), &csi.CreateVolumeRequest{
		Name: "large", CapacityRange: &csi.CapacityRange{RequiredBytes: tebibyte},
		VolumeCapabilities: []*csi.VolumeCapability{{
			AccessType: &csi.VolumeCapability_Mount{Mount: &csi.VolumeCapability_MountVolume{}},
			AccessMode: &csi.VolumeCapability_AccessMode{Mode: csi.VolumeCapability_AccessMode_SINGLE_NODE_WRITER},
		}},
	}, grpc.WaitForReady(true))
	refused := status.Convert(err)
	if refused.Code() != codes.OutOfRange || !strings.Contains(refused.Message(), "1024.0 GiB are asked for and 0.") {
		t.Fatalf("CreateVolume of 1 TiB = %v, want what is asked for and what can be had", err)
	}
	var room float64
	for _, detail := range refused.Details() {
		if fields, ok := detail.(*structpb.Struct); ok {
			room = fields.GetFields()[RoomDetail].GetNumberValue()
		}
	}
	if room < 100<<20 || room > 512<<20 {
		t.Errorf("the refusal tells of %.0f bytes that can be had, want most of 512 MiB", room)
	}
	if _, err := driver.GetCapacity(t.Context(), &csi.GetCapacityRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("GetCapacity = %v, want it unimplemented: external-provisioner keeps silent about what it answers", err)
	}
}
