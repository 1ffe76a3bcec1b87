// genoserve: the client's command line.
#include <cstdlib>

#include "client/cli/app.h"
#include "client/cli/interrupt.h"
#include "core/base/openssl_at_exit.h"

int main(int argc, char** argv) {
  genoserve::KeepOpenSslAtExit();
  // gRPC's own log lines say less than the errors of the calls; whoever wants them sets the variable.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  return genoserve::RunCli(argc, argv, &genoserve::Interrupt::Install());
}
