#include "core/store/s3_transfer.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "core/base/status.h"
#include "core/store/s3_xml.h"

namespace genoserve {
namespace {

// S3 takes no more parts of one object.
constexpr uint64_t kMaxParts = 10000;

// Calls `work` for each part, on at most `connections` threads. After an error no new part is begun; it is returned.
absl::Status ForEachPart(uint64_t parts, int connections, absl::FunctionRef<absl::Status(uint64_t)> work) {
  absl::Mutex mutex;
  uint64_t next = 0;
  absl::Status status;
  const auto run = [&] {
    while (true) {
      uint64_t part = 0;
      {
        const absl::MutexLock lock(&mutex);
        if (next == parts || !status.ok()) return;
        part = next++;
      }
      const absl::Status done = work(part);
      const absl::MutexLock lock(&mutex);
      status.Update(done);
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t i = 1; i < std::min<uint64_t>(parts, static_cast<uint64_t>(connections)); ++i)
    threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
  return status;
}

std::string Range(uint64_t begin, uint64_t size) { return absl::StrCat("Range: bytes=", begin, "-", begin + size - 1); }

// The size of the whole object, from "bytes 0-99/1234".
bool ParseWholeSize(const std::string& content_range, uint64_t* size) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(content_range, absl::MaxSplits('/', 1));
  return absl::SimpleAtoi(parts.second, size);
}

class Multipart {
 public:
  Multipart(S3Client& client, const std::string& key, const std::string& owner)
      : client_(client), key_(key), owner_(owner) {}

  absl::Status Begin() {
    S3Request request = Request("POST", {{"uploads", ""}});
    // The condition is for the end.
    request.headers = {NewObjectHeaders(owner_).back()};
    const S3Result result = client_.Send(request);
    if (!result.status.ok()) return result.status;
    const absl::StatusOr<XmlElement> answer = ParseXml(result.response.body);
    if (answer.ok()) id_ = answer->Text("UploadId");
    if (!id_.empty()) {
      if (result.repeated) AbortOthers();
      return absl::OkStatus();
    }
    return absl::UnavailableError(absl::StrCat(client_.location().Name(key_), ": an upload was begun without a name"));
  }

  absl::Status Put(uint64_t part, absl::string_view bytes, std::string* etag) {
    S3Request request = Request("PUT", {{"partNumber", absl::StrCat(part + 1)}, {"uploadId", id_}});
    request.body = bytes;
    S3Result result = client_.Send(request);
    *etag = result.response.headers["etag"];
    return result.status;
  }

  absl::Status End(const std::vector<std::string>& etags) {
    std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (size_t i = 0; i < etags.size(); ++i) {
      absl::StrAppend(&body, "<Part><PartNumber>", i + 1, "</PartNumber><ETag>", EscapeXml(etags[i]), "</ETag></Part>");
    }
    body += "</CompleteMultipartUpload>";
    S3Request request = Request("POST", {{"uploadId", id_}});
    request.headers = {NewObjectHeaders(owner_).front()};
    request.body = body;
    const S3Result result = client_.Send(request);
    if (result.status.ok()) return absl::OkStatus();
    // An attempt whose answer was lost may have ended it; then there is no such upload any more, or the object is
    // there.
    if (result.repeated || result.unknown) {
      const absl::StatusOr<std::string> found = client_.Owner(key_);
      if (found.ok() && *found == owner_) return absl::OkStatus();
    }
    if (result.response.status != 412) return result.status;
    return absl::AlreadyExistsError(absl::StrCat(client_.location().Name(key_), ": is there already"));
  }

  // Removes the parts.
  void Abort() { Abort(id_); }

 private:
  void Abort(const std::string& id) { client_.Send(Request("DELETE", {{"uploadId", id}})).status.IgnoreError(); }

  // Those of this object, which is ours alone, that were begun by attempts whose answers were lost. What this misses is
  // debris.
  void AbortOthers() {
    const absl::StatusOr<std::vector<S3Upload>> uploads = client_.ListUploads(key_);
    if (!uploads.ok()) return;
    for (const S3Upload& upload : *uploads) {
      if (upload.key == key_ && upload.id != id_) Abort(upload.id);
    }
  }

  S3Request Request(const std::string& method, const std::map<std::string, std::string>& query) const {
    S3Request request;
    request.method = method;
    request.key = key_;
    request.query = query;
    return request;
  }

  S3Client& client_;
  const std::string key_;
  const std::string owner_;
  std::string id_;
};

}  // namespace

absl::StatusOr<std::string> Download(S3Client& client, const std::string& key, uint64_t limit) {
  const std::string name = client.location().Name(key);
  const uint64_t part_size = client.limits().part_size;
  S3Request request;
  request.method = "GET";
  request.key = key;
  request.headers = {Range(0, part_size)};
  request.largest_body = part_size;
  S3Result first = client.Send(request);
  if (first.response.status == 416) return std::string();  // has no first byte
  if (!first.status.ok()) return first.status;
  HttpResponse& response = first.response;
  uint64_t size = response.body.size();
  if (response.status == 206 && !ParseWholeSize(response.headers["content-range"], &size)) {
    return absl::UnavailableError(absl::StrCat(name, ": a part came without the size of the whole"));
  }
  if (size > limit) return absl::ResourceExhaustedError(absl::StrCat(name, ": has more than ", limit, " bytes"));
  if (response.body.size() != std::min(size, part_size)) {
    return absl::UnavailableError(absl::StrCat(name, ": the first part has a wrong size"));
  }
  std::string bytes = std::move(response.body);
  if (size <= part_size) return bytes;

  const std::string etag = response.headers["etag"];
  bytes.resize(size);
  const absl::Status status =
      ForEachPart((size - 1) / part_size, client.limits().part_connections, [&](uint64_t part) -> absl::Status {
        const uint64_t begin = (part + 1) * part_size;
        S3Request next;
        next.method = "GET";
        next.key = key;
        next.into = std::span<char>(bytes).subspan(begin, std::min(part_size, size - begin));
        next.headers = {Range(begin, next.into.size()), absl::StrCat("If-Match: ", etag)};
        const S3Result result = client.Send(next);
        if (result.response.status == 412 || result.response.status == 416 || absl::IsNotFound(result.status)) {
          return absl::AbortedError(absl::StrCat(name, ": was changed while it was read"));
        }
        return result.status;
      });
  if (!status.ok()) return status;
  return bytes;
}

absl::Status UploadNew(S3Client& client, const std::string& key, absl::string_view bytes, const std::string& owner) {
  const uint64_t part_size = std::max<uint64_t>(client.limits().part_size, (bytes.size() + kMaxParts - 1) / kMaxParts);
  if (bytes.size() <= part_size) return client.PutNew(key, bytes, owner, nullptr);

  Multipart upload(client, key, owner);
  GENOSERVE_RETURN_IF_ERROR(upload.Begin());
  std::vector<std::string> etags((bytes.size() + part_size - 1) / part_size);
  absl::Status status = ForEachPart(etags.size(), client.limits().part_connections, [&](uint64_t part) {
    return upload.Put(part, bytes.substr(part * part_size, part_size), &etags[part]);
  });
  if (status.ok()) status = upload.End(etags);
  if (!status.ok()) upload.Abort();
  return status;
}

}  // namespace genoserve
