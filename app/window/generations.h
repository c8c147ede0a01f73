#pragma once
// What was generated, with its branches: the tree that the session's steps make.
#include <QObject>
#include <map>

#include "app/window/bench.h"

namespace vitrine::window {

/// A generation, or a branch of one.
struct Generation {
    std::int64_t step = 0;   ///< of the session; below 0: not recorded
    std::int64_t parent = 0; ///< what it branches from; 0: nothing
    int left_at = 0;         ///< first step at which its tokens are not its parent's
    run::GenerateSpec spec;
    std::vector<std::int32_t> ids; ///< that were generated
    std::string weights;           ///< hash of the model that did it
};

/// All of them in the session, and those of a window that records nothing. A branch is a step of kind
/// `generate` whose spec holds the tokens that were taken (`forced`) and whose input `parent` names the step
/// that it left.
class Generations : public QObject {
    Q_OBJECT

public:
    explicit Generations(Bench& bench, QObject* parent = nullptr);

    /// Reads them from the session, newest 200.
    void reload();
    /// One that was just made.
    void add(const engine::GenerateRecord& record, std::int64_t parent);
    /// Continues from a step of a generation with another token: a new generation, announced by added(). One
    /// that is there already is announced at once. `tokens`: how many follow the branch.
    void branch(std::int64_t from, int at, std::int32_t id, int tokens);

    /// By step, of the model that is open.
    const std::map<std::int64_t, Generation>& all() const { return all_; }
    const Generation* find(std::int64_t step) const;

signals:
    void changed(); ///< other ones, or none any more
    void added(std::int64_t step);
    void drew(const vitrine::run::GenerateStep& step); ///< a token of a branch that is on its way
    void refused(const QString& sentence);
    void recorded();

private:
    void keep(Generation generation);
    void find_partings();

    Bench& bench_;
    std::map<std::int64_t, Generation> all_;
    std::int64_t unrecorded_ = 0; ///< the last number below 0 that was given away
};

} // namespace vitrine::window
