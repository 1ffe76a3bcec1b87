#include "server/security/credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestFile = 4 << 20;         // bytes of a PEM file
constexpr unsigned int kSecondsBetweenLooks = 10;  // at the files

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// A key with a passphrase must not make OpenSSL ask for it on the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

Bio Buffer(const std::string& pem) { return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free}; }

absl::StatusOr<Certificate> ReadCertificate(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string pem, FileSystem::Posix().ReadFile(path, kLargestFile));
  Certificate certificate(PEM_read_bio_X509(Buffer(pem).get(), nullptr, &NoPassphrase, nullptr), &X509_free);
  ERR_clear_error();
  if (certificate == nullptr) return absl::InvalidArgumentError(absl::StrCat(path, ": holds no PEM certificate"));
  return certificate;
}

absl::StatusOr<Key> ReadKey(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string pem, FileSystem::Posix().ReadFile(path, kLargestFile));
  Key key(PEM_read_bio_PrivateKey(Buffer(pem).get(), nullptr, &NoPassphrase, nullptr), &EVP_PKEY_free);
  ERR_clear_error();
  if (key == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": holds no PEM private key without a passphrase"));
  }
  return key;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const v1::ServerConfig& config) {
  if (!config.has_tls()) return grpc::InsecureServerCredentials();
  const v1::Tls& tls = config.tls();
  GENOSERVE_ASSIGN_OR_RETURN(const Certificate certificate, ReadCertificate(tls.certificate()));
  GENOSERVE_ASSIGN_OR_RETURN(const Key key, ReadKey(tls.key()));
  const bool belong = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!belong) {
    return absl::InvalidArgumentError(
        absl::StrCat(tls.key(), ": is not the key of the certificate in ", tls.certificate()));
  }
  if (!tls.client_ca().empty()) GENOSERVE_RETURN_IF_ERROR(ReadCertificate(tls.client_ca()).status());
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(tls.key(), tls.certificate(),
                                                                           tls.client_ca(), kSecondsBetweenLooks));
  options.watch_identity_key_cert_pairs();
  if (!tls.client_ca().empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    // Clients are told apart by their certificates, not by host names.
    options.set_check_call_host(false);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace genoserve
