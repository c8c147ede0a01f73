#pragma once
// The interventions of the current run, in the words of the command line's --edit.
#include <QObject>
#include <QString>
#include <QStringList>
#include <functional>
#include <vector>

namespace vitrine::views {

/// One intervention: `L3H5 zero`, `blocks.2.hook_resid_post pos=4 scale 0.5`, …; or which keys the run sees,
/// `attention window=64 sinks=4`, of which one at a time is on.
struct Edit {
    QString text;
    bool on = true;
    bool operator==(const Edit&) const = default;
};

class EditList : public QObject {
    Q_OBJECT

public:
    const std::vector<Edit>& all() const { return all_; }
    /// The texts that are switched on, in order.
    QStringList active() const;
    /// Those of them that a run of the prompt alone has a place for: not `pos=new`, which waits for generated
    /// tokens.
    QStringList on_prompt() const;

    /// Why a text is no edit of the open model, in one sentence; empty if it is one. Set by who knows the
    /// model; unset: everything is accepted.
    std::function<QString(const QString&)> check;

    /// Adds an edit, switched on; one that is there already is switched on. Returns what is wrong with it.
    QString add(const QString& text);
    /// Adds those that are not there yet and switches all of them on, as one change.
    void add_all(const QStringList& texts);
    void set_on(int index, bool on);
    /// Another text in the place of one. Returns what is wrong with it; then the old one stays.
    QString replace(int index, const QString& text);
    /// The same while a strength is turned: what follows each other on one edit is one change to undo.
    QString turn(int index, const QString& text);
    /// What comes next is a change of its own.
    void settle() { turned_ = -1; }
    /// While `changed` is emitted: it goes on with the change before.
    bool goes_on() const { return goes_on_; }
    /// `to`: the index that it has afterwards. Edits apply in their order.
    void move(int from, int to);
    void remove(int index);
    void clear();
    void set_all(std::vector<Edit> edits);
    /// Index of a text, −1 if it is not there.
    int find(const QString& text) const;

    /// The edits of one head by its short name, `L3H5 …`.
    std::vector<int> of_head(int layer, int head) const;
    bool head_is_edited(int layer, int head) const;
    /// Switches every edit of a head on or off; a head without any gets one that takes its output out.
    void toggle_head(int layer, int head);

    /// Why the active edits could not be run on the current prompt; empty: all is well.
    const QString& problem() const { return problem_; }
    void set_problem(const QString& sentence);

signals:
    void changed();
    void problem_changed();

private:
    QString put(int index, const QString& wanted);

    std::vector<Edit> all_;
    QString problem_;
    int turned_ = -1; ///< whose strength was turned last
    bool goes_on_ = false;
};

/// Whether a text says which keys a run sees; then policy_in() is what --attention takes.
bool is_policy(const QString& text);
QString policy_in(const QString& text);
/// The options of the command line that say the same, each after a space.
QString command_options(const QStringList& edits);

/// "L3H5 zero": takes the head's output out.
QString ablation(int layer, int head);
/// The same at one position only.
QString ablation(int layer, int head, int position);
/// "L3H5 row=0 from row=1": the head's output in the run that stands beside the first.
QString patch_from_pinned(int layer, int head);

} // namespace vitrine::views
