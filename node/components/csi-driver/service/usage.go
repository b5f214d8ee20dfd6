package service

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// UsageMethod tells the controllers beside the driver how many bytes are used of each volume, by its ID. CSI itself
// answers that only to whoever knows where a volume is mounted, which is kubelet.
const UsageMethod = "/kubepanel.node.v1.Usage/List"

var usageService = grpc.ServiceDesc{
	ServiceName: "kubepanel.node.v1.Usage",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "List", Handler: listUsage}},
}

func listUsage(server any, ctx context.Context, read func(any) error, through grpc.UnaryServerInterceptor) (any, error) {
	request := &emptypb.Empty{}
	if err := read(request); err != nil {
		return nil, err
	}
	answer := func(context.Context, any) (any, error) { return server.(*Service).usage() }
	return through(ctx, request, &grpc.UnaryServerInfo{Server: server, FullMethod: UsageMethod}, answer)
}

// usage is of no volume while the kernel counts anew: what it has by then is less than what is there.
func (s *Service) usage() (*structpb.Struct, error) {
	counted, err := s.Pool.Counted()
	if err != nil {
		return nil, failure(err)
	}
	if !counted {
		return &structpb.Struct{}, nil
	}
	volumes, err := s.Pool.Volumes()
	if err != nil {
		return nil, failure(err)
	}
	answer := &structpb.Struct{Fields: make(map[string]*structpb.Value, len(volumes))}
	for _, volume := range volumes {
		// A number there is exact up to 8 PiB.
		answer.Fields[volume.ID] = structpb.NewNumberValue(float64(volume.Used))
	}
	return answer, nil
}
