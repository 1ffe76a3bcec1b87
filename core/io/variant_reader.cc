#include "core/io/variant_reader.h"

#include "core/io/format_readers.h"

namespace genoserve {

absl::StatusOr<std::unique_ptr<VariantReader>> OpenVariantReader(const GenotypeSource& source,
                                                                 const VariantReaderOptions& options) {
  switch (source.format) {
    case GenotypeSource::Format::kBed:
      return OpenBedReader(source.path);
    case GenotypeSource::Format::kPgen:
      return OpenPgenReader(source.path, options);
    case GenotypeSource::Format::kHap:
      return OpenHapReader(source.path, source.legend, source.samples);
    case GenotypeSource::Format::kHaps:
      return OpenHapsReader(source.path, source.samples);
    case GenotypeSource::Format::kHapt:
      return OpenHaptReader(source.path, source.legend);
    case GenotypeSource::Format::kNpy:
      return OpenNpyReader(source.path);
    case GenotypeSource::Format::kZarr:
      return OpenZarrReader(source.path);
    case GenotypeSource::Format::kVcf:
      break;
  }
  return OpenVcfReader(source.path, options);
}

}  // namespace genoserve
