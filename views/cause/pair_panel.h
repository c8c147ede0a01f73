#pragma once
#include <QPointer>
#include <QWidget>

#include "views/cause/pair_ruler.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QToolButton;

namespace vitrine::views {

/// Two prompts of a behaviour: what is answered, and what is answered instead.
struct Pair {
    QString clean, corrupted, answer, distractor;

    friend bool operator==(const Pair&, const Pair&) = default;
};

/// A behaviour that is chosen by name.
struct Behaviour {
    QString name, title, about;
};

/// What is measured on the page Cause: a shipped task set, of which one pair or all are taken, or two prompts
/// of one's own. It knows texts only; who cuts them into tokens tells it what they are.
class PairPanel : public QWidget {
    Q_OBJECT

public:
    explicit PairPanel(Desk& desk, QWidget* parent = nullptr);

    void show_behaviours(const std::vector<Behaviour>& behaviours);
    /// The pairs of the chosen behaviour that fit the model; `left_out`: how many do not.
    void show_pairs(std::vector<Pair> pairs, int left_out);
    /// What the pair shown is cut into, and what stands in the way of measuring it; empty: nothing.
    void show_tokens(const QStringList& clean, const QStringList& corrupted, const QString& problem);

    QString behaviour() const; ///< its name; empty: prompts of one's own
    void choose(const QString& name);
    Pair pair() const;
    void set_pair(const Pair& pair);
    void set_answer(const QString& text);
    void set_distractor(const QString& text);
    /// Into the field of answer or distractor that has the focus, or had it until a row of the next tokens
    /// was clicked; it has it again. False: neither has.
    bool take_token(const QString& text);
    bool takes_token() const { return filled_ != nullptr; }
    bool whole_set() const; ///< all pairs are measured
    void set_whole(bool whole);
    int pairs() const { return static_cast<int>(pairs_.size()); }

signals:
    void behaviour_chosen(const QString& name);
    void changed();      ///< another pair, or a word of it
    void measure();      ///< Enter, or the button
    void table_wanted(); ///< the set is to be seen and written as a table

private:
    void build();
    void step(int by);
    void show_place();

    Desk& desk_;
    std::vector<Pair> pairs_;
    int at_ = 0;
    bool filling_ = false;
    QPointer<QWidget> filled_; ///< that a click on a token fills
    QComboBox* behaviours_;
    QToolButton *back_, *forth_;
    QLabel* place_;
    QCheckBox* whole_;
    QLineEdit *clean_, *corrupted_, *answer_, *distractor_;
    PairRuler* ruler_;
    QLabel* problem_;
    QPushButton *table_, *measure_;
};

} // namespace vitrine::views
