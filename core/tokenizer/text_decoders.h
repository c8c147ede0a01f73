#pragma once
#include "core/tokenizer/decoder.h"

namespace vitrine::tokenizer {

std::unique_ptr<Decoder> make_fuse_decoder(); ///< joins all tokens
Result<std::unique_ptr<Decoder>>
make_strip_decoder(const Component& component); ///< "content", up to "start", "stop" times
Result<std::unique_ptr<Decoder>> make_replace_decoder(const Component& component); ///< "pattern" by "content"
Result<std::unique_ptr<Decoder>>
make_metaspace_decoder(const Component& component); ///< "▁" → space, none at the start

} // namespace vitrine::tokenizer
