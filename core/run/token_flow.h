#pragma once
// What flows through a plan: for each value, in each version that edits make of it, which tokens are alike
// and which are wanted.
#include <vector>

#include "core/run/token_classes.h"

namespace vitrine::run {

/// By token of the batch; nullptr: none. Sets that are the same are mostly the same object.
using TokenSet = std::shared_ptr<const std::vector<char>>;

/// A value between two edits.
struct Version {
    ValueId value = absent;
    Classes classes;       ///< of the batch's tokens; none for selected tokens
    bool selected = false; ///< a value of selected tokens, which stay as they are
    bool by_rows = false;  ///< rows are alike, wanted and computed as a whole
    bool whole = false;    ///< computed for every token
    bool wanted = false;   ///< by anything
    TokenSet tokens;       ///< that are wanted
};

/// An op's values by their versions, in the order of places_of(); Edit reads the version before.
struct OpVersions {
    std::vector<int> reads;
    std::vector<int> writes;
};

class TokenFlow {
public:
    /// The plan must outlive the flow.
    explicit TokenFlow(const Plan& plan);

    const TokenClasses& classes() const { return classes_; }
    const Version& version(int id) const { return versions_[static_cast<std::size_t>(id)]; }
    const OpVersions& of_op(std::size_t op) const { return ops_[op]; }
    /// Tokens for which a version is computed: the first of each class that is wanted.
    std::vector<int> computed(const Version& version) const;

private:
    void find_chains();
    void forward();
    void backward();
    int add(Version version);
    int current(ValueId id) const { return current_[static_cast<std::size_t>(id)]; }
    Classes all_of(const std::vector<int>& versions) const;
    Classes attended(const Attention& op) const;
    Classes chained(const AttentionScores& op) const;
    Version written(const Op& op, const OpVersions& at, ValueId value) const;
    TokenSet chosen(const std::vector<int>& tokens) const;
    TokenSet rows_of(const TokenSet& tokens, bool to_the_end);
    void want(int version, const TokenSet& tokens);
    void want_inputs(std::size_t op);

    const Plan& plan_;
    TokenClasses classes_;
    std::vector<Version> versions_;
    std::vector<OpVersions> ops_;
    std::vector<int> current_;                        ///< by value
    std::map<ValueId, std::vector<EditEntry>> edits_; ///< of pairs
    std::map<ValueId, ValueId> pattern_of_, values_of_;
    std::vector<bool> captured_;                         ///< by value
    TokenSet all_;                                       ///< of the batch
    std::map<std::pair<TokenSet, bool>, TokenSet> rows_; ///< what rows_of() gave
};

} // namespace vitrine::run
