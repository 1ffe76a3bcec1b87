// A real server with two small models, for the tests of library and program.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "genoserve/v1/config.pb.h"
#include "server/server.h"

namespace genoserve {

/// A haplotype model: 400 variants on the contigs 1 and 2, labels L0, L1 and L2 of the column "population".
inline constexpr char kHaplotypes[] = "haplotypes";
/// A diploid model: 90 variants, conditioned on weight (10 to 30 g) and coat (a, b or c).
inline constexpr char kDiploid[] = "diploid";

/// Serves version 1 of both models from a store of its own, on loopback without TLS unless StartServer tells otherwise.
/// What tests write goes to folders that are removed at the end.
class ServedModelsTest : public testing::Test {
 protected:
  ServedModelsTest();
  ~ServedModelsTest() override;

  /// The server; begun when it is first asked for.
  const Server& server();
  /// "127.0.0.1:port" of the server.
  std::string address();
  /// Begins the server with these settings besides those of the test.
  void StartServer(const v1::ServerConfig& config);
  /// Ends the server with all its streams.
  void StopServer();
  /// Ends the server and begins another one on the same store, at another port.
  void RestartServer();
  /// Publishes another version of both models and waits until the server answers with it.
  void PublishNextVersion();

  /// An empty folder for what a test makes.
  const std::string& out_folder() const { return out_folder_; }
  /// The path of a file that is not part of what a test makes.
  std::string Input(const std::string& name) const;
  /// Writes such a file and returns its path.
  std::string WriteInput(const std::string& name, const std::string& text) const;

 private:
  void Publish();

  std::string folder_;
  std::string out_folder_;
  uint64_t next_seed_ = 1;
  std::unique_ptr<Server> server_;
};

}  // namespace genoserve
