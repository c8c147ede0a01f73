#pragma once
#include <QWidget>
#include <vector>

#include "views/attention/attention_pictures.h"
#include "views/next_tokens/next_tokens_view.h"

class QGridLayout;
class QLabel;

namespace vitrine::views {

/// One line of the inspector.
struct Fact {
    QString name;
    QString value;
    QString other;      ///< the same in B, or at the place compared with; empty without one
    QString difference; ///< value − other
    QString meaning;    ///< the definition, on hover
};

/// What is known of a place in a run; `other_run`, `other_place`: what it is compared with.
std::vector<Fact> facts_at(const ShownRun& run, const Place& place, const ShownRun* other_run,
                           const Place& other_place);

/// What is selected, in numbers and words; beneath it what comes next.
class Inspector : public QWidget {
    Q_OBJECT

public:
    explicit Inspector(Desk& desk, QWidget* parent = nullptr);
    NextTokensView* next_tokens() { return next_; }

private:
    void refresh();
    void show_facts(const std::vector<Fact>& facts, const QString& first, const QString& second);
    QString place_words(const ShownRun& run, const Place& place) const;

    Desk& desk_;
    QLabel* heading_;
    QLabel* second_;
    QWidget* table_;
    QGridLayout* grid_;
    std::vector<QLabel*> cells_; ///< four a line
    QLabel* about_;
    NextTokensView* next_;
};

} // namespace vitrine::views
