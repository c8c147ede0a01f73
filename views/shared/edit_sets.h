#pragma once
// Lists of interventions under names, to be taken up again.
#include "views/shared/edits.h"

namespace vitrine::views {

struct EditSet {
    QString name;
    std::vector<Edit> edits;
    bool operator==(const EditSet&) const = default;
};

class EditSets : public QObject {
    Q_OBJECT

public:
    /// By name.
    const std::vector<EditSet>& all() const { return all_; }
    /// nullptr: there is none.
    const EditSet* find(const QString& name) const;
    /// The name of these very edits; empty: they are no set.
    QString name_of(const std::vector<Edit>& edits) const;

    /// One of that name is replaced. Returns what is wrong with the name, in one sentence.
    QString save(const QString& name, std::vector<Edit> edits);
    QString rename(const QString& from, const QString& to);
    void remove(const QString& name);
    void set_all(std::vector<EditSet> sets);

signals:
    void changed();

private:
    std::vector<EditSet> all_;
};

} // namespace vitrine::views
