// Certificates for tests of TLS, made on the spot.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace genoserve {

/// A certificate and its key as PEM text.
struct PemPair {
  std::string certificate;
  std::string key;
};

/// An authority that signs certificates for an hour. Not thread-safe.
class TestAuthority {
 public:
  TestAuthority();

  /// The authority's own certificate, PEM.
  const std::string& certificate() const { return pem_; }
  /// A certificate of this common name, good for servers and clients on localhost and 127.0.0.1.
  PemPair Issue(const std::string& common_name);

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
  std::string pem_;
  int64_t next_serial_ = 2;
};

}  // namespace genoserve
