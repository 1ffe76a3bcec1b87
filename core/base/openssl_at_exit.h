// OpenSSL at the end of a program whose libraries have threads of their own.
#pragma once

namespace genoserve {

/// OpenSSL frees its state when the program exits, while threads of gRPC may still end connections with it: they would
/// read what is freed, or leave behind what they have. After this it frees nothing then. First of all in main.
void KeepOpenSslAtExit();

}  // namespace genoserve
