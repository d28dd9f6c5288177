import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { GroupsAnswer } from "../api/answers-letters.ts";
import { useSession } from "../session/session-context.ts";
import { groupsOf } from "./letter-groups.ts";
import { groupsQuery, type GroupSearch } from "./letter-filters.ts";

/** The groups of dead letters that match. */
export function useGroups(search: GroupSearch) {
  const { ask } = useSession();
  const query = groupsQuery(search);
  return useQuery({
    queryKey: ["dead-letter-groups", query],
    queryFn: async ({ signal }) => {
      const answer = await ask<GroupsAnswer>("v1/queries/dead-letter-groups", {
        query,
        signal,
      });
      return { groups: groupsOf(answer), isCut: answer.truncated };
    },
    placeholderData: keepPreviousData,
  });
}
