export type Prompt = {
  id: string;
  language: string;
  text: string;
  kind: 'purpose' | 'storage';
  purposes: readonly string[];
  statesMaxDays: number | null;
  sha256: string;
  lengthMs: number;
  soundName: string;
};
export type PromptLibrary = {
  languages: readonly string[];
  prompts: readonly Prompt[];
  find(id: string, language: string): Prompt | undefined;
  noticeFor(purposes: readonly string[], language: string): Prompt[] | undefined;
};
